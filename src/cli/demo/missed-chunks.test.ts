import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missedChunkCount } from './missed-chunks.ts'

test('missedChunkCount() counts chunks that no kept range touches', async () => {
  const list = {
    kept: [{ offset: 4096, length: 4096 }],
    withheld: [
      { offset: 0, length: 4096 },
      { offset: 65_536, length: 4096 },
      { offset: 200_000, length: 65_536 },
    ],
  }
  assert.equal(await missedChunkCount(list, { chunkSizeBytes: 65_536, sizeBytes: 1_048_576 }), 3)
})
