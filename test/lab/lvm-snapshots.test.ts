import assert from 'node:assert/strict'
import { test } from 'node:test'

import { mountNewFileSystem } from './file-system.ts'
import { openLab } from './lab.ts'
import { HOOKS, hookScript, LvmScene, openThinScene } from './lvm-scene.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'
import { makeVolumeGroup } from './volume-group.ts'

test(
  'a thin volume: what changed, a metadata snapshot left behind, a base removed by hand',
  { skip: needsLab() },
  async () => {
    await using lab = openLab()
    const scene = await openThinScene(lab)
    await scene.backup('/mnt/home', { exitCode: 0, mode: 'full' })
    await scene.group.tellPool('pool', 'reserve_metadata_snap')
    await scene.write('/mnt/home/data', 1)
    await scene.backup('/mnt/home', { exitCode: 0, mode: 'incremental' })
    await scene.assertRight('home')
    for (const name of await scene.snapshots()) await scene.group.remove(name)
    await scene.backup('/mnt/home', { exitCode: 3, mode: 'compared', says: /BASE_IMAGE_LOST/ })
  },
)

test(
  'a classic snapshot that overflows makes no point and leaves nothing',
  { skip: needsLab() },
  async () => {
    await using lab = openLab()
    const disk = { image: lab.diskImage('disk', 128), mode: 'own', serial: 'one' } as const
    await using host = await startHost(lab, { name: 'a', memoryMiB: 768, disks: [disk] })
    const group = await makeVolumeGroup(host, 'vg0', ['/dev/sda'])
    const scene = new LvmScene(lab, group)
    const folder = await mountNewFileSystem(host, 'ext4', await group.makeVolume('thick', 32))
    await scene.write(`${folder}/data`, 24)
    await scene.icecore('init', '--no-encryption')
    await scene.backup('/mnt/thick', { exitCode: 0, mode: 'full' })
    const script = hookScript(lab, `dd if=/dev/urandom of=${folder}/data bs=1M count=24 conv=fsync,notrunc`)
    const run = await scene.icecore('backup', '/mnt/thick', ...HOOKS, script)
    assert.equal(run.exitCode, 4, run.text)
    assert.match(run.text, /IMAGE_LOST/)
    assert.deepEqual(await scene.snapshots(), [])
    const points = await scene.icecore('points')
    assert.equal([...points.text.matchAll(/"id"/g)].length, 1, points.text)
    await scene.backup('/mnt/thick', { exitCode: 0, mode: 'compared' })
  },
)
