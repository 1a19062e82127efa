import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'

import { mountFileSystem, mountNewFileSystem } from './file-system.ts'
import { icecoreOnHost } from './icecore-on-host.ts'
import { openLab, type Lab } from './lab.ts'
import type { LabHost } from './lab-host.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'
import { makeVolumeGroup, VolumeGroup } from './volume-group.ts'
import { startWriteLoad } from './write-load.ts'

/** A program that runs when the snapshot is there and nothing has been read; a lab host is slow to make one. */
const HOOKS = ['--freeze-deadline', '300', '--before-freeze', 'true', '--after-thaw']

type Run = { readonly exitCode: number | null; readonly text: string; readonly mode: string | null }

/** A host with a pool, and what is tried on it again and again. */
class Scene {
  readonly lab: Lab
  host: LabHost
  group: VolumeGroup

  constructor(lab: Lab, group: VolumeGroup) {
    this.lab = lab
    this.host = group.host
    this.group = group
  }

  async icecore(...words: readonly string[]): Promise<Run> {
    const environment = { ICECORE_REPOSITORY: `${this.lab.share}/repository` }
    const { exitCode, stdout, stderr } = await icecoreOnHost(this.host, [...words, '--json'], { environment })
    const [, mode = null] = /"mode": ?"([a-z]+)"/.exec(stdout) ?? []
    return { exitCode, mode, text: `${words.join(' ')}: ${exitCode}\n${stdout}${stderr}` }
  }

  /** A run that must end so. */
  async backup(source: string, wanted: { exitCode: number; mode?: string; says?: RegExp }): Promise<void> {
    const run = await this.icecore('backup', source)
    assert.equal(run.exitCode, wanted.exitCode, run.text)
    if (wanted.mode !== undefined) assert.equal(run.mode, wanted.mode, run.text)
    if (wanted.says !== undefined) assert.match(run.text, wanted.says)
  }

  /** The latest point of a volume is what its base holds. */
  async assertRight(volume: string): Promise<void> {
    const rows = await this.group.report('lvs', 'lv_name', 'origin', 'lv_tags', 'lv_time')
    const bases = rows.filter(
      (row) => row['origin'] === volume && (row['lv_tags'] ?? '').includes('icecore_point='),
    )
    assert.equal(bases.length, 1, JSON.stringify(rows))
    const [, id = ''] = /icecore_point=([0-9a-f]+)/.exec(bases[0]?.['lv_tags'] ?? '') ?? []
    const restored = await this.icecore('restore', id, '--to', '/tmp/restored', '--overwrite')
    assert.equal(restored.exitCode, 0, restored.text)
    const path = `vg0/${bases[0]?.['lv_name']}`
    await this.host.output(['lvchange', '-ay', '-K', path])
    await this.host.output(['cmp', `/dev/${path}`, '/tmp/restored'])
    await this.host.output(['lvchange', '-an', path])
  }

  async snapshots(): Promise<readonly string[]> {
    const rows = await this.group.report('lvs', 'lv_name')
    return rows.map((row) => row['lv_name'] ?? '').filter((name) => name.startsWith('icecore-'))
  }

  async write(file: string, mib: number): Promise<void> {
    await this.host.output([
      'dd',
      'if=/dev/urandom',
      `of=${file}`,
      'bs=1M',
      `count=${mib}`,
      'conv=fsync,notrunc',
      'status=none',
    ])
  }
}

async function openScene(lab: Lab): Promise<Scene> {
  const disks = [{ image: lab.diskImage('disk', 256), mode: 'own', serial: 'one' } as const]
  const host = await startHost(lab, { name: 'a', memoryMiB: 768, disks })
  const group = await makeVolumeGroup(host, 'vg0', ['/dev/sda'])
  await group.makeThinPool('pool', { sizeMiB: 96 })
  const scene = new Scene(lab, group)
  for (const name of ['home', 'mail']) {
    const folder = await mountNewFileSystem(
      host,
      'ext4',
      await group.makeThinVolume(name, { pool: 'pool', sizeMiB: 24 }),
    )
    await scene.write(`${folder}/data`, 6)
  }
  const init = await scene.icecore('init', '--no-encryption')
  assert.equal(init.exitCode, 0, init.text)
  return scene
}

test(
  'thin volumes over their life: bases lost and found, volumes resized and made anew',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const scene = await openScene(lab)
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

async function fillPool(scene: Scene, context: TestContext): Promise<void> {
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

test(
  'a classic snapshot that overflows makes no point and leaves nothing',
  { skip: needsLab() },
  async () => {
    await using lab = openLab()
    const disk = { image: lab.diskImage('disk', 128), mode: 'own', serial: 'one' } as const
    await using host = await startHost(lab, { name: 'a', memoryMiB: 768, disks: [disk] })
    const group = await makeVolumeGroup(host, 'vg0', ['/dev/sda'])
    const scene = new Scene(lab, group)
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

function hookScript(lab: Lab, text: string): string {
  const path = `${lab.share}/hook.sh`
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}
