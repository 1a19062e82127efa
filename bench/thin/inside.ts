// What the scenario "thin-map" measures without the start of a process: node inside.ts METADATA DEVICE… reads the whole map of
// device 1, and what changed in each of the other devices, in turn, several times; it prints how long each took.
import { argv } from 'node:process'

import { ExtentTable } from '../../src/extents/extent-table.ts'
import { differenceOfThinVolumes } from '../../src/formats/dm-thin/thin-difference.ts'
import { thinExtents } from '../../src/formats/dm-thin/thin-mappings.ts'
import { openThinPool } from '../../src/formats/dm-thin/thin-pool.ts'
import { openLocalSource } from '../../src/linux/local-source.ts'

/** The volume of the bench: 16 Mi blocks of 64 KiB. */
const SIZE_BYTES = 2 ** 40
const ROUND_COUNT = 5
const { signal } = new AbortController()

const [, , path = '', ...devices] = argv
await using source = await openLocalSource(path)
// In the order of the rounds: the first is also that in which the code is compiled.
const mapMs: number[] = []
const differenceMs: number[][] = devices.map(() => [])
for (let round = 0; round < ROUND_COUNT; round += 1) {
  for (const [index, device] of devices.entries()) {
    differenceMs[index]?.push(await timed(() => readDifference(Number(device))))
  }
  mapMs.push(await timed(readMap))
}
console.log(JSON.stringify({ mapMs, differenceMs }))

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}

async function readMap(): Promise<void> {
  const pool = await openThinPool(source.image(), { snapshot: false })
  const extents = thinExtents({ pool, deviceId: 1 }, { offset: 0, length: SIZE_BYTES }, signal)
  await ExtentTable.read(extents, { sizeBytes: SIZE_BYTES })
}

async function readDifference(deviceId: number): Promise<void> {
  const pool = await openThinPool(source.image(), { snapshot: false })
  for await (const _batch of differenceOfThinVolumes({ pool, deviceId: 1 }, { pool, deviceId }, signal));
}
