import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { FileNode } from '../formats/file-system.ts'
import { fileJson, longLine } from './file-listing.ts'

const NODE: FileNode = {
  number: 12,
  generation: 1,
  kind: 'file',
  mode: 0o644,
  userId: 1000,
  groupId: 100,
  sizeBytes: 4096,
  linkCount: 1,
  accessed: { seconds: 0, nanoseconds: 0 },
  modified: { seconds: -1, nanoseconds: 999_999_999 },
  changed: { seconds: 1_700_000_000, nanoseconds: 1 },
  born: null,
  device: null,
}
const name = Buffer.from('a\nb')
const listed = (change: Partial<FileNode>, linkTarget: Uint8Array | null = null): string =>
  longLine({ path: name, name, node: { ...NODE, ...change }, linkTarget }, name)

test('longLine() writes modes as ls does, devices by number, and names without surprises', () => {
  assert.match(listed({}), /^-rw-r--r-- {3}1 1000 {2}100 +4096 .*:59 a\\nb$/)
  assert.match(listed({ mode: 0o4755 }), /^-rwsr-xr-x/)
  assert.match(listed({ mode: 0o2644 }), /^-rw-r-Sr--/)
  assert.match(listed({ kind: 'directory', mode: 0o1777 }), /^drwxrwxrwt/)
  assert.match(listed({ kind: 'block-device', device: { major: 8, minor: 17 } }), /^b.* 8, 17 /)
  assert.match(listed({ kind: 'symlink' }, Buffer.from('../x\u001b')), / a\\nb -> \.\.\/x\\x1b$/)
  assert.match(listed({ modified: { seconds: 2 ** 52, nanoseconds: 0 } }), / @4503599627370496 +a/)
})

test('fileJson() has times to the nanosecond in UTC', () => {
  const json = fileJson({ path: name, name, node: NODE, linkTarget: null })
  assert.equal(json['path'], 'a\\nb')
  assert.equal(json['mode'], '0644')
  assert.equal(json['modifiedAt'], '1969-12-31T23:59:59.999999999Z')
  assert.equal(json['changedAt'], '2023-11-14T22:13:20.000000001Z')
})
