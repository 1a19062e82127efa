import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { mountFileSystem } from '../file-system.ts'
import { enrolAgent } from '../lab-agent.ts'
import { openLab } from '../lab.ts'
import { needsLab } from '../needs-lab.ts'
import { backUpFromMover } from '../san-backup.ts'
import { openSanScene, type SanScene } from '../san-scene.ts'
import { diskBytes } from '../usage.ts'
import { makeVolumeGroup } from '../volume-group.ts'

const MIB_PER_TIB = 1024 * 1024
/** Blocks of the pool are of 1 MiB, so there are as many mappings. */
const BLOCK_SECTORS = 2048
/** A pool that is over 95 % full is not frozen. */
const POOL_MIB = 1.125 * MIB_PER_TIB
const METADATA_MIB = 128
/** Challenges, the text of the group, the upper nodes of trees. */
const OWNER_READS_MAX_BYTES = 24 * 1024 * 1024

test(
  'a thin volume of 1 TiB with a million mappings, unchanged, is a point in seconds',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const scene = await openSanScene(lab, { lunsMiB: [POOL_MIB + 1024] })
    const device = await makeLargeVolume(scene)
    // Nothing is written of the tables of inodes that nobody uses: they have 16 GiB.
    const make = ['mkfs.ext4', '-q', '-F', '-T', 'largefile4', '-E', 'lazy_itable_init=1,nodiscard']
    await scene.owner.output([...make, '-J', 'size=16', device])
    const folder = await mountFileSystem(scene.owner, device, 'noinit_itable')
    await scene.write(`${folder}/data`, 16)
    await enrolAgent(scene)
    const full = await backUpFromMover(scene, device, { exitCode: 0, mode: 'full' })
    context.diagnostic(`full: ${JSON.stringify(full)}`)
    for (const round of [1, 2, 3]) {
      const before = await diskBytes(scene.owner, scene.ownerDisks)
      const startedAt = performance.now()
      const report = await backUpFromMover(scene, device, { exitCode: 0, mode: 'incremental' })
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      const readBytes = (await diskBytes(scene.owner, scene.ownerDisks)).read - before.read
      context.diagnostic(
        `unchanged, round ${round}: ${seconds} s end to end, the owner read ${readBytes} bytes, ${JSON.stringify(report)}`,
      )
      // The mappings of the volume are 33 MB, of which nothing has changed.
      assert.ok(readBytes < OWNER_READS_MAX_BYTES, `${readBytes}`)
    }
  },
)

/** Every block of it is mapped, by metadata that `thin_restore` made: nothing was written for that. */
async function makeLargeVolume(scene: SanScene): Promise<string> {
  const { owner, lab } = scene
  const group = await makeVolumeGroup(owner, 'vg0', scene.ownerDisks)
  await group.makeThinPool('pool', {
    sizeMiB: POOL_MIB,
    metadataMiB: METADATA_MIB,
    chunkKiB: BLOCK_SECTORS / 2,
  })
  const device = await group.makeThinVolume('large', { pool: 'pool', sizeMiB: MIB_PER_TIB })
  await owner.output(['vgchange', '--quiet', '-an', 'vg0'])
  const description = `${lab.share}/metadata.xml`
  writeFileSync(description, metadataXml())
  await group.makeVolume('spare', METADATA_MIB)
  await owner.output(['thin_restore', '--input', description, '--output', '/dev/vg0/spare'])
  const swap = ['--thinpool', 'vg0/pool', '--poolmetadata', 'vg0/spare']
  await owner.output(['lvconvert', '--quiet', '--yes', ...swap])
  await owner.output(['vgchange', '--quiet', '-ay', 'vg0'])
  const rows = await group.report('lvs', 'lv_name', 'data_percent')
  assert.equal(
    rows.find((row) => row['lv_name'] === 'large')?.['data_percent'],
    '100.00',
    JSON.stringify(rows),
  )
  return device
}

/** LVM has counted one volume made: transaction 1, device 1. */
function metadataXml(): string {
  const count = MIB_PER_TIB
  return `<superblock uuid="" time="0" transaction="1" version="2" data_block_size="${BLOCK_SECTORS}" nr_data_blocks="${POOL_MIB}">
<device dev_id="1" mapped_blocks="${count}" transaction="0" creation_time="0" snap_time="0">
<range_mapping origin_begin="0" data_begin="0" length="${count}" time="0"/>
</device>
</superblock>
`
}
