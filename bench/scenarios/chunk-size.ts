import type { Bench, Row, RunRecord, Scenario } from '../bench.ts'
import { measureAlone } from '../pairs.ts'
import { icecore } from '../peers/icecore.ts'
import { median } from '../statistics.ts'
import { firstBackup, secondBackup } from '../works.ts'
import { withChange } from './with-change.ts'

const SCENARIO = 'chunk-size'
const CHUNK_SIZES = ['64KiB', '128KiB', '256KiB', '512KiB'] as const

export const CHUNK_SIZE: Scenario = {
  name: SCENARIO,
  summary: 'what the size of a chunk costs and saves: the curves for choosing the default',
  async run(bench) {
    const rows: Row[] = []
    for (const chunkSize of CHUNK_SIZES) rows.push(...(await measureChunkSize(bench, chunkSize)))
    return rows
  },
}

async function measureChunkSize(bench: Bench, chunkSize: string): Promise<Row[]> {
  const own = icecore({ cli: bench.cli, name: `icecore chunks of ${chunkSize}`, chunkSize })
  const full = await measureAlone(bench, SCENARIO, firstBackup(bench, own))
  bench.states.keep(own)
  const second = secondBackup(bench, own, bench.data.change.changeList)
  const scattered = await withChange(bench, [own], () =>
    measureAlone(bench, SCENARIO, { ...second, program: `${own.name}, 1% scattered` }),
  )
  bench.states.drop(own, 'all')
  const row = { work: `chunks of ${chunkSize}`, against: '–', asked: 'nothing asked', isCurve: true }
  return [
    { ...row, quantity: 'full, wall time', unit: 's', measured: medianOf(full, (run) => run.wallMs) / 1000 },
    { ...row, quantity: 'full, CPU time', unit: 's', measured: medianOf(full, (run) => run.cpuMs) / 1000 },
    {
      ...row,
      quantity: 'full, repository',
      unit: 'bytes',
      measured: medianOf(full, (run) => run.storedBytes ?? Number.NaN),
    },
    {
      ...row,
      quantity: 'full, index in the repository',
      unit: 'bytes',
      measured: medianOf(full, (run) => run.indexBytes ?? Number.NaN),
    },
    {
      ...row,
      quantity: '1% scattered, wall time',
      unit: 's',
      measured: medianOf(scattered, (run) => run.wallMs) / 1000,
    },
    {
      ...row,
      quantity: '1% scattered, added',
      unit: 'bytes',
      measured: medianOf(scattered, (run) => run.addedBytes ?? Number.NaN),
    },
  ]
}

function medianOf(runs: readonly RunRecord[], value: (run: RunRecord) => number): number {
  return median(runs.map(value))
}
