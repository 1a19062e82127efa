import * as v from 'valibot'
import type { Bench, Row, Scenario } from '../bench.ts'
import { measureAlone, measurePairs, medianOfPairs, speedUp, type Work } from '../pairs.ts'
import { hasTool } from '../peers/find-tool.ts'
import { median } from '../statistics.ts'
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
  return [...rows, ...(await insideRows(bench, metadata))]
}

/** The same in one process that goes on, as an agent does: to start one takes longer than most of these. */
async function insideRows(bench: Bench, metadata: string): Promise<Row[]> {
  const devices = SNAPSHOTS.map(({ deviceId }) => String(deviceId))
  const argv = thinProgram('inside.ts', [metadata, ...devices])
  let times: v.InferOutput<typeof insideSchema> | undefined
  const work: Work = {
    ...thinWork('icecore, maps and change lists in one process', metadata, argv),
    finish: ({ stdout }) => {
      times = v.parse(insideSchema, JSON.parse(stdout))
      return {}
    },
  }
  await measureAlone({ ...bench, repeatCount: 1 }, SCENARIO, work)
  const mapMs = median(times?.mapMs ?? [])
  const against = 'its own whole map, in one process'
  const mapRow = { work: 'whole map of a thin volume, in one process', against: '–', asked: 'nothing asked' }
  const rows: Row[] = [{ ...mapRow, quantity: 'wall time', unit: 's', measured: mapMs / 1000 }]
  for (const [index, { runBlocks }] of SNAPSHOTS.entries()) {
    const ms = median(times?.differenceMs[index] ?? [])
    const of = `change list, 1% in runs of ${runBlocks}`
    rows.push(
      {
        work: of,
        against,
        quantity: 'times faster',
        asked: 'at least 10x',
        unit: 'x',
        measured: mapMs / ms,
      },
      {
        work: of,
        against: '–',
        quantity: 'wall time in a process',
        asked: 'under 5 s',
        unit: 's',
        measured: ms / 1000,
      },
    )
  }
  return rows
}

const milliseconds = v.pipe(v.array(v.number()), v.minLength(1))
/** What inside.ts prints. */
const insideSchema = v.object({ mapMs: milliseconds, differenceMs: v.array(milliseconds) })
