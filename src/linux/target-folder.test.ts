import assert from 'node:assert/strict'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { test } from 'node:test'

import { needsRoot } from '../../test/support/requirements.ts'
import { runTool } from '../../test/support/run-tool.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { openTargetFolder } from './target-folder.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const METADATA = {
  mode: 0o640,
  userId: process.getuid?.() ?? 0,
  groupId: process.getgid?.() ?? 0,
  accessed: { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
  modified: { seconds: -5, nanoseconds: 999_999_999 },
  attributes: [
    { name: bytes('user.note'), value: bytes('hello') },
    { name: bytes('user.empty'), value: new Uint8Array(0) },
  ],
}

test('openTargetFolder() writes a file with holes, times to the nanosecond and attributes', async () => {
  using temporary = temporaryFolder()
  using folder = openTargetFolder(temporary.path)
  const name = Buffer.from('odd \n\xff name', 'latin1')
  {
    using file = folder.makeFile(name)
    await file.write(bytes('data'), 1_048_576)
    file.setSize(4_194_304)
    assert.deepEqual(file.setMetadata(METADATA), [])
  }
  const path = Buffer.concat([Buffer.from(`${temporary.path}/`), name])
  const stats = lstatSync(path, { bigint: true })
  assert.equal(stats.size, 4_194_304n)
  assert.ok(stats.blocks < 64n, `${stats.blocks}`)
  assert.equal(stats.mode & 0o7777n, 0o640n)
  assert.equal(stats.atimeNs, 1_700_000_000_123_456_789n)
  assert.equal(stats.mtimeNs, -4_000_000_001n)
  assert.equal(readFileSync(path).subarray(1_048_576, 1_048_580).toString(), 'data')
  renameSync(path, temporary.join('plain'))
  const shown = runTool('getfattr', ['--absolute-names', '-d', temporary.join('plain')])
  assert.match(shown, /user\.empty=""\nuser\.note="hello"/)
  assert.throws(() => folder.makeFile(bytes('plain')), { code: 'EEXIST' })
})

test('openTargetFolder() follows no link, and keeps to its folder when that is moved', () => {
  using temporary = temporaryFolder()
  for (const name of ['target', 'elsewhere']) mkdirSync(temporary.join(name))
  using folder = openTargetFolder(temporary.join('target'))
  symlinkSync('../elsewhere', temporary.join('target', 'link'))
  assert.throws(() => folder.openFolder(bytes('link')), { code: 'ENOTDIR' })
  assert.throws(() => folder.makeFile(bytes('link')), { code: 'EEXIST' })
  assert.equal(folder.lookUp(bytes('link'))?.kind, 'other')
  using inner = folder.makeFolder(bytes('inner'))
  renameSync(temporary.join('target', 'inner'), temporary.join('target', 'moved'))
  symlinkSync('../elsewhere', temporary.join('target', 'inner'))
  inner.makeFile(bytes('file'))[Symbol.dispose]()
  assert.deepEqual(readdirSync(temporary.join('elsewhere')), [])
  assert.deepEqual(readdirSync(temporary.join('target', 'moved')), ['file'])
  folder.remove(bytes('inner'))
  folder.remove(bytes('inner'))
  assert.equal(folder.lookUp(bytes('inner')), null)
})

test('openTargetFolder() makes links, hard links and renames over what is there', () => {
  using temporary = temporaryFolder()
  using folder = openTargetFolder(temporary.path)
  using inner = folder.makeFolder(bytes('inner'))
  writeFileSync(temporary.join('inner', 'one'), 'one')
  folder.makeHardLink(bytes('two'), { folder: inner, name: bytes('one') })
  assert.equal(folder.lookUp(bytes('two'))?.identity, inner.lookUp(bytes('one'))?.identity)
  folder.makeLink(bytes('link'), Buffer.from('\xff/none', 'latin1'))
  assert.deepEqual(folder.setMetadataOf(bytes('link'), { ...METADATA, attributes: [] }), [])
  assert.equal(readlinkSync(temporary.join('link'), 'latin1'), '\xff/none')
  assert.equal(lstatSync(temporary.join('link'), { bigint: true }).mtimeNs, -4_000_000_001n)
  folder.rename(bytes('two'), bytes('link'))
  assert.equal(readFileSync(temporary.join('link'), 'utf8'), 'one')
  assert.deepEqual(inner.setMetadata({ ...METADATA, mode: 0o2750 }), [])
  assert.equal(lstatSync(temporary.join('inner')).mode & 0o7777, 0o2750)
  folder.sync()
})

test('openTargetFolder() makes special files, with owners and large numbers', { skip: needsRoot() }, () => {
  using temporary = temporaryFolder()
  using folder = openTargetFolder(temporary.path)
  const metadata = { ...METADATA, userId: 123_456, groupId: 77, mode: 0o6711, attributes: [] }
  for (const [kind, device] of [
    ['fifo', null],
    ['socket', null],
    ['character-device', { major: 1, minor: 3 }],
    ['block-device', { major: 4000, minor: 300_000 }],
  ] as const) {
    folder.makeSpecial(bytes(kind), { kind, device })
    assert.deepEqual(folder.setMetadataOf(bytes(kind), metadata), [])
  }
  const shown = runTool('stat', [
    '-c',
    '%n %F %a %u:%g %Hr,%Lr',
    ...readdirSync(temporary.path).map((name) => temporary.join(name)),
  ])
  assert.deepEqual(
    shown
      .trim()
      .split('\n')
      .map((line) => line.split('/').at(-1)),
    [
      'block-device block special file 6711 123456:77 4000,300000',
      'character-device character special file 6711 123456:77 1,3',
      'fifo fifo 6711 123456:77 0,0',
      'socket socket 6711 123456:77 0,0',
    ],
  )
})

test('setMetadata() takes away what a folder of the target would have its files inherit', () => {
  using temporary = temporaryFolder()
  runTool('setfacl', ['-d', '-m', 'u:12345:rwx', temporary.path])
  using folder = openTargetFolder(temporary.path)
  using file = folder.makeFile(bytes('file'))
  file.setMetadata(METADATA)
  using inner = folder.makeFolder(bytes('inner'))
  inner.setMetadata({ ...METADATA, mode: 0o750 })
  const acl = runTool('getfacl', ['--absolute-names', temporary.join('file'), temporary.join('inner')])
  assert.doesNotMatch(acl, /12345/)
})
