import type { Bench, Row, Scenario } from '../bench.ts'
import { measurePairs, medianOfPairs, speedUp } from '../pairs.ts'
import { icecore, type IcecoreSettings } from '../peers/icecore.ts'
import { restic } from '../peers/restic.ts'
import { firstBackup } from '../works.ts'

type Variant = {
  readonly scenario: string
  readonly work: string
  readonly asked: string
  readonly own: Omit<IcecoreSettings, 'cli'>
  readonly compression: 'auto' | 'off'
}

export const FULL_UNCOMPRESSED: Scenario = {
  name: 'full-uncompressed',
  summary: 'a first backup without compression',
  run: (bench) =>
    measureVariant(bench, {
      scenario: 'full-uncompressed',
      work: 'full, no compression',
      asked: 'at least 5x',
      own: { name: 'icecore, no compression', compression: 'none' },
      compression: 'off',
    }),
}

export const FULL_PORTABLE: Scenario = {
  name: 'full-portable',
  summary: "a first backup with the codecs of Node's own API",
  run: (bench) =>
    measureVariant(bench, {
      scenario: 'full-portable',
      work: 'full, plain Node API',
      asked: 'at least 2.5x',
      own: { name: 'icecore, plain Node API', isPortable: true },
      compression: 'auto',
    }),
}

async function measureVariant(bench: Bench, variant: Variant): Promise<Row[]> {
  const own = icecore({ ...variant.own, cli: bench.cli })
  const peer = restic({
    compression: variant.compression,
    canRestoreSparsely: bench.resticRestoresSparsely,
  })
  const pairs = await measurePairs(bench, {
    scenario: variant.scenario,
    own: firstBackup(bench, own),
    peers: [firstBackup(bench, peer)],
  })
  for (const each of [own, peer]) bench.states.drop(each, 'working')
  const measured = medianOfPairs(pairs.get(peer.name), speedUp)
  const { work, asked } = variant
  return [{ work, against: peer.name, quantity: 'times faster', asked, unit: 'x', ...measured }]
}
