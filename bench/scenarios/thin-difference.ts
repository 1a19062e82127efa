import { dirname, join } from 'node:path'
import type { Bench, Row, Scenario } from '../bench.ts'
import type { Command } from '../measure.ts'
import { readThrough } from '../page-cache.ts'
import { cpuShare, measurePairs, medianOfPairs, speedUp, type Work } from '../pairs.ts'
import { openThinBenchMetadata, SNAPSHOTS } from '../thin/metadata.ts'
import { memoryRow } from './memory-row.ts'

const SCENARIO = 'thin-difference'

export const THIN_DIFFERENCE: Scenario = {
  name: SCENARIO,
  summary: 'what differs in 1% of 16 million mappings of two thin volumes, against thin_delta',
  run: measureThinDifference,
}

async function measureThinDifference(bench: Bench): Promise<Row[]> {
  const folder = join(dirname(dirname(bench.data.image)), 'thin')
  const metadata = openThinBenchMetadata(folder, (line) => bench.say(line))
  const rows: Row[] = []
  for (const { deviceId, runBlocks } of SNAPSHOTS) {
    const own: Work = {
      program: `icecore, runs of ${runBlocks}`,
      tools: [],
      begin: () => begin(metadata, [process.execPath, ownProgram(), metadata, '1', String(deviceId)]),
      finish: () => ({}),
    }
    const peer: Work = {
      program: `thin_delta, runs of ${runBlocks}`,
      tools: ['thin_delta'],
      begin: () => begin(metadata, ['thin_delta', '--snap1', '1', '--snap2', String(deviceId), metadata]),
      finish: () => ({}),
    }
    const pairs = (await measurePairs(bench, { scenario: SCENARIO, own, peers: [peer] })).get(peer.program)
    const work = `thin difference, 1% in runs of ${runBlocks}`
    const against = 'thin_delta'
    rows.push(
      { work, against, quantity: 'speed', asked: '10x', unit: 'x', ...medianOfPairs(pairs, speedUp) },
      { work, against, quantity: 'CPU', asked: '', unit: 'share', ...medianOfPairs(pairs, cpuShare) },
      memoryRow(
        `peak memory, ${work}`,
        (pairs ?? []).map((pair) => pair.own),
      ),
    )
  }
  return rows
}

function begin(metadata: string, argv: readonly string[]): Promise<Command> {
  readThrough(metadata)
  return Promise.resolve({ argv })
}

function ownProgram(): string {
  return join(import.meta.dirname, '..', 'thin', 'difference.ts')
}
