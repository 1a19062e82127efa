import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Extent } from '../domain/extent.ts'
import { replaceExtents } from './replace-extents.ts'

const data = (offset: number, length: number, physicalOffset: number): Extent => ({
  kind: 'data',
  offset,
  length,
  device: 0,
  physicalOffset,
})

async function replaced(map: readonly Extent[], altered: readonly Extent[]): Promise<Extent[]> {
  const out: Extent[] = []
  for await (const batch of replaceExtents([map], [altered])) out.push(...batch)
  return out
}

test('replaceExtents() puts what was altered into its place, and cuts what it covers', async () => {
  const map = [data(0, 100, 1000), { kind: 'zero', offset: 100, length: 50 } as const]
  assert.deepEqual(await replaced(map, [data(40, 20, 5000), data(90, 30, 7000)]), [
    data(0, 40, 1000),
    data(40, 20, 5000),
    data(60, 30, 1060),
    data(90, 30, 7000),
    { kind: 'zero', offset: 120, length: 30 },
  ])
})

test('replaceExtents() leaves a map that nothing was altered of as it was, and does not grow it', async () => {
  const map = [data(0, 100, 1000)]
  assert.deepEqual(await replaced(map, []), map)
  assert.deepEqual(await replaced(map, [data(100, 10, 0)]), map)
})
