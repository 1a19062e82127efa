// What the scenario "thin-map" measures: node map.ts METADATA DEVICE prints in how many pieces a thin volume lies.
import { argv } from 'node:process'

import { ExtentTable } from '../../src/extents/extent-table.ts'
import { thinExtents } from '../../src/formats/dm-thin/thin-mappings.ts'
import { openThinPool } from '../../src/formats/dm-thin/thin-pool.ts'
import { openLocalSource } from '../../src/linux/local-source.ts'

/** The volume of the bench: 16 Mi blocks of 64 KiB. */
const SIZE_BYTES = 2 ** 40

const [, , path = '', deviceId] = argv
await using source = await openLocalSource(path)
const pool = await openThinPool(source.image(), { snapshot: false })
const volume = { pool, deviceId: Number(deviceId) }
const extents = thinExtents(volume, { offset: 0, length: SIZE_BYTES }, new AbortController().signal)
const table = await ExtentTable.read(extents, { sizeBytes: SIZE_BYTES })
console.log(JSON.stringify({ extentCount: table.count }))
