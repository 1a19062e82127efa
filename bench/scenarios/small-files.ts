import { join } from 'node:path'
import type { Bench, Row, Scenario } from '../bench.ts'
import { sizeBytesOf } from '../page-cache.ts'
import { measureAlone } from '../pairs.ts'
import { icecore } from '../peers/icecore.ts'
import { keptImage } from '../volumes/kept-image.ts'
import {
  EMPTY_FOLDER,
  NOTHING_FOLDER,
  SMALL_FILE_BYTES,
  SMALL_FILE_COUNT,
  SMALL_FILES_VOLUME_BYTES,
  SMALL_FOLDER,
  smallFilesVolume,
} from '../volumes/small-files-volume.ts'

const SCENARIO = 'small-files'

export const SMALL_FILES: Scenario = {
  name: SCENARIO,
  summary: 'stored bytes of each empty file and each file of 1 KiB in a set of files (`backup --path`)',
  run: measureSmallFiles,
}

async function measureSmallFiles(bench: Bench): Promise<Row[]> {
  const image = keptImage(bench, {
    name: 'small-files.img',
    sizeBytes: SMALL_FILES_VOLUME_BYTES,
    make: smallFilesVolume,
  })
  // What a repository with a point holds anyway is not the cost of a file.
  const nothing = await storedBytesOf(bench, image, NOTHING_FOLDER)
  const empty = await storedBytesOf(bench, image, EMPTY_FOLDER)
  const small = await storedBytesOf(bench, image, SMALL_FOLDER)
  const row = { against: '–', unit: 'bytes each' } as const
  return [
    {
      ...row,
      work: `${SMALL_FILE_COUNT} empty files, with owner, mode and times`,
      quantity: 'stored for each',
      asked: 'to be stated',
      measured: (empty - nothing) / SMALL_FILE_COUNT,
    },
    {
      ...row,
      work: `${SMALL_FILE_COUNT} files of 1 KiB`,
      quantity: 'stored for each, beyond its content',
      asked: 'to be stated',
      measured: (small - nothing) / SMALL_FILE_COUNT - SMALL_FILE_BYTES,
    },
  ]
}

async function storedBytesOf(bench: Bench, image: string, folder: string): Promise<number> {
  const own = icecore({ cli: bench.cli, name: `icecore --path ${folder}`, folder })
  let repository = ''
  const [run] = await measureAlone({ ...bench, repeatCount: 1 }, SCENARIO, {
    program: own.name,
    tools: own.tools,
    async begin() {
      const state = await bench.states.fresh(own)
      repository = join(state, 'repo')
      return own.backUp({ state, source: image, run: 'first' })
    },
    finish: () => ({ storedBytes: sizeBytesOf(repository) }),
  })
  bench.states.drop(own, 'all')
  return run?.storedBytes ?? Number.NaN
}
