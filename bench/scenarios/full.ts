import type { Bench, Row, RunRecord, Scenario } from '../bench.ts'
import { cpuShare, measurePairs, medianOfPairs, speedUp, storedShare, type Pair } from '../pairs.ts'
import { borg } from '../peers/borg.ts'
import { icecore } from '../peers/icecore.ts'
import { partclone } from '../peers/partclone.ts'
import { qemuImg } from '../peers/qemu-img.ts'
import { restic } from '../peers/restic.ts'
import { zstd } from '../peers/zstd.ts'
import { firstBackup } from '../works.ts'
import { memoryRow } from './memory-row.ts'

export const FULL: Scenario = {
  name: 'full',
  summary: 'a first backup into a new repository',
  run: measureFull,
}

async function measureFull(bench: Bench): Promise<Row[]> {
  const own = icecore({ cli: bench.cli })
  const auto = restic({ compression: 'auto', canRestoreSparsely: bench.resticRestoresSparsely })
  const kept = [own, auto, borg(), zstd()]
  const passing = [partclone(), qemuImg()]
  const peers = [...kept, ...passing].filter((peer) => peer !== own)
  const pairs = await measurePairs(bench, {
    scenario: 'full',
    own: firstBackup(bench, own),
    peers: peers.map((peer) => firstBackup(bench, peer)),
  })
  // The other scenarios begin with what the last repeat left.
  for (const peer of kept) if (peer === own || pairs.has(peer.name)) bench.states.keep(peer)
  for (const peer of [...kept, ...passing])
    bench.states.drop(peer, passing.includes(peer) ? 'all' : 'working')
  return rowsOf(pairs, auto.name)
}

function rowsOf(pairs: ReadonlyMap<string, readonly Pair[]>, auto: string): Row[] {
  const wall = (against: string, asked: string): Row => ({
    work: 'full',
    against,
    quantity: 'times faster',
    asked,
    unit: 'x',
    ...medianOfPairs(pairs.get(against), speedUp),
  })
  const cpu = (against: string, asked: string): Row => ({
    work: 'full',
    against,
    quantity: 'share of its CPU seconds',
    asked,
    unit: 'share',
    ...medianOfPairs(pairs.get(against), cpuShare),
  })
  const ownRuns: RunRecord[] = [...pairs.values()].flat().map((pair) => pair.own)
  return [
    wall(auto, 'at least 4x'),
    cpu(auto, 'at most 0.30'),
    wall(borg().name, 'at least 4.5x'),
    wall(zstd().name, 'at least 1.5x'),
    cpu(zstd().name, 'at most 0.85'),
    wall(partclone().name, 'at least 1.7x'),
    wall(qemuImg().name, 'nothing asked'),
    {
      work: 'repository size',
      against: auto,
      quantity: 'share of its size',
      asked: 'at most 1.10',
      unit: 'share',
      ...medianOfPairs(pairs.get(auto), storedShare),
    },
    memoryRow('peak memory, full', ownRuns),
  ]
}
