import type { Bench, Row, Scenario } from '../bench.ts'
import { addedShare, measurePairs, medianOfPairs, speedUp } from '../pairs.ts'
import { icecore } from '../peers/icecore.ts'
import { restic } from '../peers/restic.ts'
import { secondBackup } from '../works.ts'
import { withChange } from './with-change.ts'

const GOALS = [
  { chunkSize: '64KiB', asked: 'at least 20x', askedAdded: 'at most 0.10' },
  { chunkSize: '256KiB', asked: 'at least 12x', askedAdded: 'at most 0.25' },
] as const

export const SCATTERED: Scenario = {
  name: 'scattered',
  summary: 'a second backup after 1% of scattered change, with the list of changes',
  async run(bench) {
    const rows: Row[] = []
    for (const goal of GOALS) rows.push(...(await measureScattered(bench, goal)))
    return rows
  },
}

async function measureScattered(bench: Bench, goal: (typeof GOALS)[number]): Promise<Row[]> {
  const own = icecore({ cli: bench.cli, name: `icecore ${goal.chunkSize}`, chunkSize: goal.chunkSize })
  const peer = restic({ compression: 'auto', canRestoreSparsely: bench.resticRestoresSparsely })
  const pairs = await withChange(bench, [own, peer], () =>
    measurePairs(bench, {
      scenario: 'scattered',
      own: secondBackup(bench, own, bench.data.change.changeList),
      peers: [secondBackup(bench, peer)],
    }),
  )
  bench.states.drop(own, 'all')
  const ofPeer = pairs.get(peer.name)
  const work = `1% scattered change, list given, ${goal.chunkSize}`
  const against = `${peer.name}, second run`
  return [
    {
      work,
      against,
      quantity: 'times faster',
      asked: goal.asked,
      unit: 'x',
      ...medianOfPairs(ofPeer, speedUp),
    },
    {
      work,
      against,
      quantity: 'share of its added bytes',
      asked: goal.askedAdded,
      unit: 'share',
      ...medianOfPairs(ofPeer, addedShare),
    },
  ]
}
