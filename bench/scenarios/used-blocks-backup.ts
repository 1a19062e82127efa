import type { Bench, Row, Scenario } from '../bench.ts'
import { measurePairs, medianOfPairs, speedUp, storedShare } from '../pairs.ts'
import { icecore } from '../peers/icecore.ts'
import { GARBAGE_VOLUME_BYTES, garbageVolume } from '../volumes/garbage-volume.ts'
import { keptImage } from '../volumes/kept-image.ts'
import { firstBackup } from '../works.ts'

const SCENARIO = 'used-blocks-backup'

export const USED_BLOCKS_BACKUP: Scenario = {
  name: SCENARIO,
  summary: 'a first backup of a volume that is half remains of deleted files, against --whole',
  run: measureUsedBlocksBackup,
}

async function measureUsedBlocksBackup(bench: Bench): Promise<Row[]> {
  const own = icecore({ cli: bench.cli, name: 'icecore, what is in use', leavesFreeOut: true })
  const whole = icecore({ cli: bench.cli, name: 'icecore --whole' })
  const image = keptImage(bench, {
    name: 'garbage.img',
    sizeBytes: GARBAGE_VOLUME_BYTES,
    make: garbageVolume,
  })
  const ofImage = { ...bench, data: { ...bench.data, image } }
  const pairs = await measurePairs(bench, {
    scenario: SCENARIO,
    own: firstBackup(ofImage, own),
    peers: [firstBackup(ofImage, whole)],
  })
  for (const each of [own, whole]) bench.states.drop(each, 'all')
  const ofWhole = pairs.get(whole.name)
  const row = { work: 'half of the data is free', against: whole.name, asked: 'nothing asked' }
  return [
    { ...row, quantity: 'times faster', unit: 'x', ...medianOfPairs(ofWhole, speedUp) },
    { ...row, quantity: 'share of its size', unit: 'share', ...medianOfPairs(ofWhole, storedShare) },
  ]
}
