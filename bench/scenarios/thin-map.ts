import type { Bench, Row, Scenario } from '../bench.ts'
import { measurePairs, medianOfPairs, speedUp } from '../pairs.ts'
import { hasTool } from '../peers/find-tool.ts'
import { SNAPSHOTS } from '../thin/metadata.ts'
import { thinMetadata, thinProgram, thinWork } from '../thin/thin-work.ts'
import { memoryRow } from './memory-row.ts'

const SCENARIO = 'thin-map'

export const THIN_MAP: Scenario = {
  name: SCENARIO,
  summary: 'the map of a thin volume of 1 TiB in 2 million pieces, and what changed against it',
  run: measureThinMap,
}

/** A change list must cost what changed: it is measured against the whole map, and that against `thin_dump`. */
async function measureThinMap(bench: Bench): Promise<Row[]> {
  if (!hasTool('thin_restore') || !hasTool('thin_dump')) {
    bench.say('  left out: thin_restore or thin_dump not installed')
    return []
  }
  const metadata = thinMetadata(bench)
  const map = thinWork('icecore, whole map', metadata, thinProgram('map.ts', [metadata, '1']))
  const dump = thinWork('thin_dump', metadata, ['thin_dump', '--dev-id', '1', metadata])
  const pairs =
    (await measurePairs(bench, { scenario: SCENARIO, own: map, peers: [dump] })).get('thin_dump') ?? []
  const maps = pairs.map((pair) => pair.own)
  const rows: Row[] = [
    {
      work: 'whole map of a thin volume, 2.1 million pieces',
      against: 'thin_dump',
      quantity: 'times faster',
      asked: 'nothing asked',
      unit: 'x',
      ...medianOfPairs(pairs, speedUp),
    },
    memoryRow('peak memory, whole map of a thin volume', maps),
  ]
  for (const { deviceId, runBlocks } of SNAPSHOTS) {
    const words = thinProgram('difference.ts', [metadata, '1', String(deviceId)])
    const own = thinWork(`icecore, changes in runs of ${runBlocks}`, metadata, words)
    const found =
      (await measurePairs(bench, { scenario: SCENARIO, own, peers: [map] })).get(map.program) ?? []
    rows.push({
      work: `change list, 1% in runs of ${runBlocks}`,
      against: 'its own whole map',
      quantity: 'times faster',
      asked: 'at least 10x',
      unit: 'x',
      ...medianOfPairs(found, speedUp),
    })
  }
  return rows
}
