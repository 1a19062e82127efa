import { join } from 'node:path'
import type { Bench, Row, Scenario } from '../bench.ts'
import { measureAlone, type Work } from '../pairs.ts'
import { findingsOf, icecore, type Icecore } from '../peers/icecore.ts'
import { sizeBytesOf } from '../page-cache.ts'
import { median } from '../statistics.ts'
import { memoryRow } from './memory-row.ts'

const SCENARIO = 'nothing-changed'

export const NOTHING_CHANGED: Scenario = {
  name: SCENARIO,
  summary: 'an empty change list for a sparse image of 1 TiB',
  run: measureNothingChanged,
}

async function measureNothingChanged(bench: Bench): Promise<Row[]> {
  const own = icecore({ cli: bench.cli, name: 'icecore 1 TiB' })
  const state = await bench.states.fresh(own)
  const first = await measureAlone(
    { ...bench, repeatCount: 1 },
    SCENARIO,
    sparseBackup(bench, own, { state }),
  )
  const second = await measureAlone(
    bench,
    SCENARIO,
    sparseBackup(bench, own, { state, changeList: bench.data.emptyChangeList }),
  )
  bench.states.drop(own, 'all')
  return [
    {
      work: 'nothing changed, list given, 1 TiB sparse',
      against: '–',
      quantity: 'wall time',
      asked: 'under 2 s',
      unit: 's',
      measured: median(second.map((run) => run.wallMs)) / 1000,
    },
    memoryRow('peak memory, 1 TiB', [...first, ...second]),
  ]
}

// One point more on each run does not matter here: nothing but points is added.
function sparseBackup(
  bench: Bench,
  own: Icecore,
  wish: { readonly state: string; readonly changeList?: string },
): Work {
  const repository = join(wish.state, 'repo')
  return {
    program: `${own.name}, ${wish.changeList === undefined ? 'first run' : 'nothing changed'}`,
    tools: own.tools,
    begin: () => Promise.resolve(own.backUp({ ...wish, source: bench.data.sparseImage, run: 'second' })),
    finish: (measurement) => ({
      storedBytes: sizeBytesOf(repository),
      ...findingsOf(measurement.stdout, repository),
    }),
  }
}
