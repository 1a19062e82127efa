import type { Bench, Row, Scenario } from '../bench.ts'
import { measurePairs, medianOfPairs, speedUp } from '../pairs.ts'
import { borg } from '../peers/borg.ts'
import { icecore } from '../peers/icecore.ts'
import { restic } from '../peers/restic.ts'
import { zstd } from '../peers/zstd.ts'
import { restore } from '../works.ts'

export const RESTORE: Scenario = {
  name: 'restore',
  summary: 'a verified restore to a sparse file',
  run: measureRestore,
}

async function measureRestore(bench: Bench): Promise<Row[]> {
  const own = icecore({ cli: bench.cli })
  const goals = [
    {
      peer: restic({ compression: 'auto', canRestoreSparsely: bench.resticRestoresSparsely }),
      asked: 'at least 4.5x',
    },
    { peer: borg(), asked: 'at least 6x' },
    { peer: zstd(), asked: 'at least 2x' },
  ]
  const pairs = await measurePairs(bench, {
    scenario: 'restore',
    own: restore(bench, own),
    peers: goals.map((goal) => restore(bench, goal.peer)),
  })
  return goals.map(({ peer, asked }): Row => {
    const measured = medianOfPairs(pairs.get(peer.name), speedUp)
    return { work: 'restore', against: peer.name, quantity: 'times faster', asked, unit: 'x', ...measured }
  })
}
