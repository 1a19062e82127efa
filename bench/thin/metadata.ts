import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'

import { seededRandomness } from '../../test/support/seeded-randomness.ts'
import {
  mappingValue,
  ThinMetadataFile,
  writeThinMetadata,
  type Change,
} from '../../test/support/thin-metadata.ts'

const MAPPING_COUNT = 16 * 1024 * 1024
const CHANGED_COUNT = Math.floor(MAPPING_COUNT / 100)
/** Data blocks lie together in runs of so many, as an allocator gives them to several writers. */
const DATA_RUN = 8

/** The snapshots of device 1: in each 1% of the blocks was written to, in runs of so many. */
export const SNAPSHOTS = [
  { deviceId: 2, runBlocks: 1 },
  { deviceId: 3, runBlocks: 64 },
  { deviceId: 4, runBlocks: 1024 },
] as const

/** A metadata file with a volume of 16 Mi mappings and its changed snapshots; made once, in about a minute. */
export function openThinBenchMetadata(folder: string, say: (line: string) => void): string {
  const path = join(folder, 'metadata.img')
  if (existsSync(path)) return path
  say('  making thin metadata of 16 Mi mappings with thin_restore')
  mkdirSync(folder, { recursive: true })
  const runCount = MAPPING_COUNT / DATA_RUN
  const runs = Array.from({ length: runCount }, (_, run) => ({
    begin: run * DATA_RUN,
    // A prime that does not divide the count: every run once, far from the one before.
    data: ((run * 7919) % runCount) * DATA_RUN,
    length: DATA_RUN,
  }))
  const made = join(folder, 'metadata.part')
  writeThinMetadata(made, {
    dataBlockCount: 2 * MAPPING_COUNT,
    devices: new Map([[1, runs]]),
    fileBytes: 2 * 1024 ** 3,
  })
  using file = new ThinMetadataFile(made)
  let dataBlock = MAPPING_COUNT
  for (const { deviceId, runBlocks } of SNAPSHOTS) {
    const changes = scatteredBlocks(deviceId, runBlocks).map((key): Change => {
      dataBlock += 1
      return { key, value: mappingValue(dataBlock) }
    })
    file.addSnapshot(1, deviceId, changes)
  }
  renameSync(made, path)
  return path
}

function scatteredBlocks(seed: number, runBlocks: number): number[] {
  const randomness = seededRandomness(seed)
  const blocks = new Set<number>()
  while (blocks.size < CHANGED_COUNT) {
    const begin = randomness.below(MAPPING_COUNT / runBlocks) * runBlocks
    for (let block = begin; block < begin + runBlocks && blocks.size < CHANGED_COUNT; block += 1)
      blocks.add(block)
  }
  return [...blocks].toSorted((a, b) => a - b)
}
