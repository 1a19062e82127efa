import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ExtentTable } from '../../extents/extent-table.ts'
import { KnownThinMaps, type KnownThinMap } from './known-thin-maps.ts'

const BLOCK_BYTES = 65_536

/** A map in `count` pieces. */
async function mapOf(count: number): Promise<KnownThinMap> {
  const extents = Array.from({ length: count }, (_, index) => ({
    kind: 'data' as const,
    offset: index * BLOCK_BYTES,
    length: BLOCK_BYTES,
    device: 0,
    physicalOffset: (count - index) * 2 * BLOCK_BYTES,
  }))
  const table = await ExtentTable.read([extents], { sizeBytes: count * BLOCK_BYTES })
  return { deviceId: 1, data: '', baseMark: '', table }
}

test('KnownThinMaps gives what was remembered last, and forgets the oldest when it is too much', async () => {
  const maps = new KnownThinMaps()
  const large = await mapOf(400_000)
  const small = await mapOf(100)
  maps.remember('first', small)
  maps.remember('second', large)
  assert.equal(maps.recall('first'), small)
  maps.remember('first', large)
  assert.equal(maps.recall('second'), null)
  assert.equal(maps.recall('first'), large)
  maps.remember('huge', await mapOf(600_000))
  assert.deepEqual([maps.recall('first'), maps.recall('huge')], [null, null])
  for (let index = 0; index < 65; index += 1) maps.remember(`${index}`, small)
  assert.deepEqual([maps.recall('0'), maps.recall('1')], [null, small])
})
