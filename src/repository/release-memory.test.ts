import assert from 'node:assert/strict'
import { test } from 'node:test'
import { releaseMemory } from './release-memory.ts'

test('releaseMemory() gives large results back and leaves buffers that others share', () => {
  const large = Buffer.alloc(100_000, 1)
  releaseMemory(large)
  assert.equal(large.byteLength, 0)
  const small = Buffer.from('small')
  releaseMemory(small)
  assert.equal(small.toString(), 'small')
})
