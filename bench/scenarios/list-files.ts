import { rmSync } from 'node:fs'
import type { Bench, Row, Scenario } from '../bench.ts'
import { FILES_PER_FOLDER, FOLDER_COUNT, writeManyFiles } from '../data/many-files.ts'
import { measureAlone, type Work } from '../pairs.ts'
import { icecore, type Icecore } from '../peers/icecore.ts'
import { median } from '../statistics.ts'

const SCENARIO = 'list-files'

export const LIST_FILES: Scenario = {
  name: SCENARIO,
  summary: '`ls -R` of 100,000 files of an ext4 in a repository',
  run: measureListing,
}

async function measureListing(bench: Bench): Promise<Row[]> {
  const own = icecore({ cli: bench.cli, name: 'icecore 100,000 files' })
  const image = writeManyFiles(bench.scratchFolder)
  const state = await bench.states.fresh(own)
  const once = { ...bench, repeatCount: 1 }
  await measureAlone(once, SCENARIO, {
    program: `${own.name}, backup`,
    tools: own.tools,
    begin: () => Promise.resolve(own.backUp({ state, source: image, run: 'first' })),
    finish: () => ({}),
  })
  const runs = await measureAlone(bench, SCENARIO, listing(own, state))
  bench.states.drop(own, 'all')
  rmSync(image)
  return [
    {
      work: '`ls -R` of 100,000 files from a repository',
      against: '–',
      quantity: 'wall time',
      asked: 'under 10 s',
      unit: 's',
      measured: median(runs.map((run) => run.wallMs)) / 1000,
    },
  ]
}

function listing(own: Icecore, state: string): Work {
  return {
    program: `${own.name}, ls -R`,
    tools: own.tools,
    begin: () => Promise.resolve(own.listFiles(state)),
    finish: ({ stdout }) => {
      const count = stdout.split('\n').length - 1
      if (count < FOLDER_COUNT * (FILES_PER_FOLDER + 1)) throw new Error(`Cannot list: only ${count} files`)
      return {}
    },
  }
}
