import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { mountFileSystem, mountNewFileSystem } from '../file-system.ts'
import { openLab } from '../lab.ts'
import { HOOKS, hookScript, openThinScene, type LvmScene } from '../lvm-scene.ts'
import { needsLab } from '../needs-lab.ts'
import { startHost } from '../start-host.ts'
import { VolumeGroup } from '../volume-group.ts'
import { startWriteLoad } from '../write-load.ts'

test(
  'thin volumes over their life: bases lost and found, volumes resized and made anew',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const scene = await openThinScene(lab)
    await scene.backup('/mnt/home', { exitCode: 0, mode: 'full' })

    await context.test('a metadata snapshot that somebody left behind is no obstacle', async () => {
      await scene.group.tellPool('pool', 'reserve_metadata_snap')
      await scene.write('/mnt/home/data', 1)
      await scene.backup('/mnt/home', { exitCode: 0, mode: 'incremental' })
      await scene.assertRight('home')
    })

    await context.test('two runs on one pool take turns', async () => {
      await scene.write('/mnt/home/data', 1)
      const load = await startWriteLoad(scene.host, {
        paths: ['/mnt/home/data', '/mnt/mail/data'],
        seed: 3,
        spanBytes: 2 ** 20,
      })
      const runs = await Promise.all([
        scene.backup('/mnt/home', { exitCode: 0, mode: 'incremental' }),
        scene.backup('/mnt/mail', { exitCode: 0, mode: 'full' }),
      ])
      assert.equal(runs.length, 2)
      await load.stop()
      await scene.assertRight('home')
      await scene.assertRight('mail')
    })

    await context.test('a base that was removed costs one comparison', async () => {
      for (const name of await scene.snapshots()) await scene.group.remove(name)
      await scene.write('/mnt/home/data', 2)
      await scene.backup('/mnt/home', { exitCode: 3, mode: 'compared', says: /BASE_IMAGE_LOST/ })
      await scene.backup('/mnt/home', { exitCode: 0, mode: 'incremental' })
      await scene.assertRight('home')
    })

    await context.test('a volume that grew is read to its end', async () => {
      await scene.host.output(['lvextend', '--size', '+8m', 'vg0/home'])
      await scene.host.output(['resize2fs', '/dev/vg0/home'])
      await scene.write('/mnt/home/more', 8)
      await scene.backup('/mnt/home', { exitCode: 0 })
      await scene.assertRight('home')
    })

    await context.test('a base is found again after a power cut', async () => {
      await scene.host.kill()
      const { image } = scene.host.disks[0] ?? assert.fail()
      scene.host = await startHost(lab, {
        name: 'a',
        memoryMiB: 768,
        disks: [{ image, mode: 'own', serial: 'one' }],
      })
      scene.group = new VolumeGroup(scene.host, 'vg0')
      await scene.host.output(['vgchange', '-ay', 'vg0'])
      for (const name of ['home', 'mail']) await mountFileSystem(scene.host, `/dev/vg0/${name}`)
      await scene.write('/mnt/home/data', 1)
      await scene.backup('/mnt/home', { exitCode: 0, mode: 'incremental' })
      await scene.assertRight('home')
    })

    await context.test('a volume made anew under the old name is another one', async () => {
      await scene.host.output(['umount', '/mnt/home'])
      await scene.group.remove('home')
      const device = await scene.group.makeThinVolume('home', { pool: 'pool', sizeMiB: 32 })
      await scene.write(`${await mountNewFileSystem(scene.host, 'ext4', device)}/data`, 3)
      await scene.backup('/mnt/home', { exitCode: 3, mode: 'compared', says: /BASE_IMAGE_LOST/ })
      await scene.assertRight('home')
      assert.equal((await scene.snapshots()).length, 1, 'the base of the volume that is gone is released')
    })

    await fillPool(scene, context)
    const check = await scene.icecore('check', '--data')
    assert.equal(check.exitCode, 0, check.text)
  },
)

async function fillPool(scene: LvmScene, context: TestContext): Promise<void> {
  await context.test(
    'a pool that fills up during the run: the snapshot goes first, the run fails',
    async () => {
      const device = await scene.group.makeThinVolume('fill', { pool: 'pool', sizeMiB: 96 })
      const before = await scene.snapshots()
      const [data] = await scene.group
        .report('lvs', 'lv_name', 'data_percent')
        .then((rows) => rows.filter((row) => row['lv_name'] === 'pool'))
      const usedMib = (96 * Number(data?.['data_percent'])) / 100
      // To 96 %; then it waits for longer than the pool is left alone.
      const script = hookScript(
        scene.lab,
        `dd if=/dev/urandom of=${device} bs=64k count=${Math.ceil((96 * 0.96 - usedMib) * 16)} oflag=direct; sleep 15`,
      )
      const run = await scene.icecore('backup', '/mnt/home', ...HOOKS, script)
      assert.equal(run.exitCode, 4, run.text)
      assert.match(run.text, /IMAGE_LOST/)
      assert.match(run.text, /its data is 9[5-9]\.\d % full/)
      assert.deepEqual(await scene.snapshots(), before)
      // A pool that is full already is not frozen at all.
      const next = await scene.icecore('backup', '/mnt/home')
      assert.equal(next.exitCode, 4, next.text)
      assert.match(next.text, /NO_ROOM_TO_FREEZE/)
      await scene.write('/mnt/home/data', 1)
      await scene.group.remove('fill')
      await scene.backup('/mnt/home', { exitCode: 0, mode: 'incremental' })
      await scene.assertRight('home')
    },
  )
}
