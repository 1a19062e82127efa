// What the scenario "thin-difference" measures: node difference.ts METADATA FIRST SECOND prints how much differs.
import { argv } from 'node:process'

import { differenceOfThinVolumes } from '../../src/formats/dm-thin/thin-difference.ts'
import { openThinPool } from '../../src/formats/dm-thin/thin-pool.ts'
import { openLocalSource } from '../../src/linux/local-source.ts'

const [, , path = '', first, second] = argv
await using source = await openLocalSource(path)
const pool = await openThinPool(source.image(), { snapshot: false })
const [before, after] = [first, second].map((deviceId) => ({ pool, deviceId: Number(deviceId) }))
if (before === undefined || after === undefined) throw new Error('two device numbers are needed')
let rangeCount = 0
let lengthBytes = 0
for await (const batch of differenceOfThinVolumes(before, after, new AbortController().signal)) {
  rangeCount += batch.length
  for (const range of batch) lengthBytes += range.length
}
console.log(JSON.stringify({ rangeCount, blockCount: lengthBytes / pool.dataBlockBytes }))
