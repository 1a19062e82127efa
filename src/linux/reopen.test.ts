import assert from 'node:assert/strict'
import { readSync, writeSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { allocateAligned } from './aligned-memory.ts'
import { reopenSource, reopenTarget } from './reopen.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'

test('reopenTarget() opens for reading and writing, and makes nothing', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'volume.img')
  assert.throws(() => reopenTarget(path, { direct: false }), { code: 'ENOENT' })
  await writeFile(path, new Uint8Array(8192))
  using target = reopenTarget(path, { direct: true })
  const bytes = allocateAligned(4096).fill(5)
  assert.equal(writeSync(target.fd, bytes, 0, 4096, 4096), 4096)
  assert.equal(readSync(target.fd, bytes, 0, 4096, 0), 4096)
  assert.ok(bytes.every((byte) => byte === 0))
})

test('reopenSource() goes through the page cache where direct I/O is not known', () => {
  using source = reopenSource('/proc/self/status', { direct: true })
  assert.equal(source.direct, false)
})
