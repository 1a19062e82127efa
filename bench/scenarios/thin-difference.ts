import type { Bench, Row, Scenario } from '../bench.ts'
import { cpuShare, measurePairs, medianOfPairs, speedUp, type Pair } from '../pairs.ts'
import { hasTool } from '../peers/find-tool.ts'
import { SNAPSHOTS } from '../thin/metadata.ts'
import { thinMetadata, thinProgram, thinWork } from '../thin/thin-work.ts'
import { memoryRow } from './memory-row.ts'

const SCENARIO = 'thin-difference'
/** The metadata is made by the one and compared by the other. */
const THIN_TOOLS = ['thin_restore', 'thin_delta']

export const THIN_DIFFERENCE: Scenario = {
  name: SCENARIO,
  summary: 'what differs in 1% of 16 million mappings of two thin volumes, against thin_delta',
  run: measureThinDifference,
}

async function measureThinDifference(bench: Bench): Promise<Row[]> {
  if (!THIN_TOOLS.every(hasTool)) {
    bench.say(`  left out: ${THIN_TOOLS.join(' or ')} not installed`)
    return SNAPSHOTS.flatMap(({ runBlocks }) => rowsOf(runBlocks))
  }
  const metadata = thinMetadata(bench)
  const rows: Row[] = []
  for (const { deviceId, runBlocks } of SNAPSHOTS) {
    const words = thinProgram('difference.ts', [metadata, '1', String(deviceId)])
    const own = thinWork(`icecore, runs of ${runBlocks}`, metadata, words)
    const delta = ['thin_delta', '--snap1', '1', '--snap2', String(deviceId), metadata]
    const peer = thinWork(`thin_delta, runs of ${runBlocks}`, metadata, delta)
    const pairs = (await measurePairs(bench, { scenario: SCENARIO, own, peers: [peer] })).get(peer.program)
    rows.push(...rowsOf(runBlocks, pairs))
  }
  return rows
}

function rowsOf(runBlocks: number, pairs: readonly Pair[] = []): Row[] {
  const work = `thin difference, 1% in runs of ${runBlocks}`
  const against = 'thin_delta'
  const speed = medianOfPairs(pairs, speedUp)
  const cpu = medianOfPairs(pairs, cpuShare)
  return [
    { work, against, quantity: 'times faster', asked: 'at least 10x', unit: 'x', ...speed },
    { work, against, quantity: 'share of its CPU seconds', asked: 'nothing asked', unit: 'share', ...cpu },
    memoryRow(
      `peak memory, ${work}`,
      pairs.map((pair) => pair.own),
    ),
  ]
}
