import { dirname, join } from 'node:path'
import type { Bench } from '../bench.ts'
import { readThrough } from '../page-cache.ts'
import type { Work } from '../pairs.ts'
import { openThinBenchMetadata } from './metadata.ts'

/** The metadata of the pool that is measured, beside the data set; made when it is not there. */
export function thinMetadata(bench: Bench): string {
  const folder = join(dirname(dirname(bench.data.image)), 'thin')
  return openThinBenchMetadata(folder, (line) => bench.say(line))
}

/** One reading of the metadata, by a program of this folder or by a tool of the system. */
export function thinWork(program: string, metadata: string, argv: readonly string[]): Work {
  const [tool = ''] = argv
  return {
    program,
    tools: tool === process.execPath ? [] : [tool],
    begin: () => {
      readThrough(metadata)
      return Promise.resolve({ argv })
    },
    finish: () => ({}),
  }
}

/** Runs a program of this folder. */
export function thinProgram(name: string, words: readonly string[]): readonly string[] {
  return [process.execPath, join(import.meta.dirname, name), ...words]
}
