import type { Bench, Row, Scenario } from '../bench.ts'
import { addedShare, measurePairs, medianOfPairs, speedUp } from '../pairs.ts'
import { borg } from '../peers/borg.ts'
import { icecore } from '../peers/icecore.ts'
import { restic } from '../peers/restic.ts'
import { secondBackup } from '../works.ts'
import { withChange } from './with-change.ts'

export const COMPARED: Scenario = {
  name: 'compared',
  summary: 'a second backup after 1% of scattered change, without a list: every digest is compared',
  run: measureCompared,
}

async function measureCompared(bench: Bench): Promise<Row[]> {
  const own = icecore({ cli: bench.cli })
  const goals = [
    {
      peer: restic({ compression: 'auto', canRestoreSparsely: bench.resticRestoresSparsely }),
      asked: 'at least 7x',
    },
    { peer: borg(), asked: 'at least 10x' },
  ]
  const peers = goals.map((goal) => goal.peer)
  const pairs = await withChange(bench, [own, ...peers], () =>
    measurePairs(bench, {
      scenario: 'compared',
      own: secondBackup(bench, own),
      peers: peers.map((peer) => secondBackup(bench, peer)),
    }),
  )
  return goals.flatMap(({ peer, asked }): Row[] => {
    const row = { work: '1% changed, compared', against: `${peer.name}, second run` }
    const ofPeer = pairs.get(peer.name)
    return [
      { ...row, quantity: 'times faster', asked, unit: 'x', ...medianOfPairs(ofPeer, speedUp) },
      {
        ...row,
        quantity: 'share of its added bytes',
        asked: 'nothing asked',
        unit: 'share',
        ...medianOfPairs(ofPeer, addedShare),
      },
    ]
  })
}
