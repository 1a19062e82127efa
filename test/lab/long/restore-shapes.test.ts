import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { mixedBytes } from '../../support/mixed-bytes.ts'
import { sha256File } from '../../support/sha256-file.ts'
import { openLab } from '../lab.ts'
import { needsLab } from '../needs-lab.ts'
import { openRestoreScene, type PlainDisk, type RestoreScene } from '../restore-scene.ts'
import { diskBytes } from '../usage.ts'

const MIB = 1024 * 1024
const KIB = 1024
/** Its end is no whole block of a disk. */
const SIZE_BYTES = 24 * MIB + 512 * 3 + 100
const STRIPED = '/dev/vg0/target-striped'
/** Where the owner changes the volume after it was restored: a block, some blocks, and across two chunks. */
const CHANGES = [
  { offsetKiB: 4, lengthKiB: 4 },
  { offsetKiB: 5000, lengthKiB: 40 },
  { offsetKiB: 16 * KIB - 4, lengthKiB: 8 },
] as const
/** Of a new repository. */
const CHUNK_BYTES = 128 * KIB

test(
  'restores over the SAN: onto stripes, a partition and a whole disk, and only what differs',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const scene = await openRestoreScene(lab, { disksMiB: [48, 48], plainDisksMiB: [40, 40] })
    const { owner, diskNames } = scene
    const image = `${lab.share}/image`
    writeFileSync(image, mixedBytes('image', SIZE_BYTES))
    chmodSync(image, 0o644)
    const expected = await sha256File(image)
    const made = await scene.run('backup', image)
    assert.equal(made.exitCode, 0, made.stderr)
    const stripes = ['--type', 'striped', '--stripes', '2', '--stripesize', '64k']
    const size = ['--size', '32m', '--quiet', '--yes', '--wipesignatures', 'n']
    await owner.output(['lvcreate', ...stripes, ...size, '--name', 'target-striped', 'vg0'])

    const striped = { target: STRIPED, disks: diskNames }
    await context.test('a striped volume over two disks', async () => {
      await scene.scribble(STRIPED)
      await restoreOverSan(scene, striped)
      assert.equal(await scene.sha256(STRIPED, SIZE_BYTES), expected)
    })
    await context.test('only what differs is written', async () => {
      for (const { offsetKiB, lengthKiB } of CHANGES) await change(scene, { offsetKiB, lengthKiB })
      assert.notEqual(await scene.sha256(STRIPED, SIZE_BYTES), expected)
      const written = await writtenOver(scene, () => restoreOverSan(scene, striped, '--differing'))
      // One block, some blocks of one chunk, and of two chunks.
      assert.ok(written.byDisks > 0 && written.byDisks <= 4 * CHUNK_BYTES, `${written.byDisks} bytes`)
      assert.ok(written.asSaid > 0 && written.asSaid <= 4 * CHUNK_BYTES, `${written.asSaid} bytes`)
      assert.equal(await scene.sha256(STRIPED, SIZE_BYTES), expected)
      const again = await writtenOver(scene, () => restoreOverSan(scene, striped, '--differing'))
      assert.deepEqual(again, { byDisks: 0, asSaid: 0 })
    })
    const [first, second] = scene.plainDisks
    assert.ok(first !== undefined && second !== undefined)
    await context.test('a partition, and nothing beside it', async () => {
      await partition(scene, first)
      const target = `${first.path}1`
      await scene.scribble(target)
      const before = await beside(scene, first)
      await restoreOverSan(scene, { target, disks: [first.name] })
      assert.equal(await scene.sha256(target, SIZE_BYTES), expected)
      assert.equal(await beside(scene, first), before)
    })
    await context.test('a whole disk, and nothing behind the image', async () => {
      await scene.scribble(second.path)
      const tail = ['sh', '-c', `tail --bytes=+${SIZE_BYTES + 1} ${second.path} | sha256sum`]
      const before = await owner.output(tail)
      await restoreOverSan(scene, { target: second.path, disks: [second.name] })
      assert.equal(await scene.sha256(second.path, SIZE_BYTES), expected)
      assert.equal(await owner.output(tail), before)
    })
  },
)

/** What it says that it has written. */
async function restoreOverSan(
  scene: RestoreScene,
  { target, disks }: { readonly target: string; readonly disks: readonly string[] },
  ...more: readonly string[]
): Promise<number> {
  const how = ['--agent', '10.77.0.1', '--to', target, '--yes', '--transport', 'san', '--json', ...more]
  const named = disks.flatMap((name) => ['--san-disk', name])
  const { exitCode, stdout, stderr } = await scene.run('restore', 'latest', ...how, ...named)
  assert.equal(exitCode, 0, stdout + stderr + scene.agent().soFar('stderr'))
  return Number(/"writtenBytes": ?(\d+)/.exec(stdout)?.[1])
}

async function change(
  { owner }: RestoreScene,
  { offsetKiB, lengthKiB }: { readonly offsetKiB: number; readonly lengthKiB: number },
): Promise<void> {
  const where = [`of=${STRIPED}`, 'bs=4k', `seek=${offsetKiB / 4}`, `count=${lengthKiB / 4}`]
  await owner.output(['dd', 'if=/dev/urandom', ...where, 'conv=fsync,notrunc', 'status=none'])
}

async function writtenOver(
  { mover }: RestoreScene,
  work: () => Promise<number>,
): Promise<{ readonly byDisks: number; readonly asSaid: number }> {
  const paths = mover.disks.map(({ path }) => path)
  const before = await diskBytes(mover, paths)
  const asSaid = await work()
  const after = await diskBytes(mover, paths)
  return { byDisks: after.written - before.written, asSaid }
}

async function partition({ owner }: RestoreScene, { path }: PlainDisk): Promise<void> {
  // 30 MiB from the second MiB on, which is no multiple of a chunk.
  const stdin = `label: gpt\nstart=${(MIB + 3 * 4096) / 512}, size=${(30 * MIB) / 512}\n`
  await owner.output(['sfdisk', '--quiet', path], { stdin })
}

/** Of all of the disk that is not its partition. */
async function beside({ owner }: RestoreScene, { path }: PlainDisk): Promise<string> {
  const begin = MIB + 3 * 4096
  const parts = `head --bytes=${begin} ${path}; tail --bytes=+${begin + 30 * MIB + 1} ${path}`
  return await owner.output(['sh', '-c', `sync; echo 3 > /proc/sys/vm/drop_caches; (${parts}) | sha256sum`])
}
