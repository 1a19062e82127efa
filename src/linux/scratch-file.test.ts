import assert from 'node:assert/strict'
import { readdirSync, readSync } from 'node:fs'
import { test } from 'node:test'

import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { openScratchFile } from './scratch-file.ts'

/** The folder for temporary files is what the environment says. */
async function withFolder(path: string, work: () => Promise<void>): Promise<void> {
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = path
  try {
    await work()
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}

test('openScratchFile() keeps what is appended in a file that no folder shows', async () => {
  using folder = temporaryFolder()
  await withFolder(folder.path, async () => {
    await using scratch = await openScratchFile()
    const pieces = [10, 700_000, 600_000, 3_000_000, 1].map((length, index) =>
      new Uint8Array(length).fill(index + 1),
    )
    const offsets: number[] = []
    for (const piece of pieces) offsets.push(await scratch.append(piece))
    await scratch.flush()
    assert.deepEqual(offsets, [0, 10, 700_010, 1_300_010, 4_300_010])
    assert.equal(scratch.sizeBytes, 4_300_011)
    const found = new Uint8Array(scratch.sizeBytes)
    assert.equal(readSync(scratch.fd, found, 0, found.byteLength, 0), found.byteLength)
    assert.ok(Buffer.concat(pieces).equals(found))
    assert.deepEqual(readdirSync(folder.path), [])
  })
})

test('openScratchFile() names the folder that it cannot write to', async () => {
  using folder = temporaryFolder()
  await withFolder(folder.join('missing'), async () => {
    await assert.rejects(openScratchFile(), {
      code: 'TARGET_WRITE_FAILED',
      message: `Cannot write temporary file in "${folder.join('missing')}": the system reports ENOENT; TMPDIR names another folder`,
    })
  })
})
