import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { assertExt4Clean, changeExt4Image, writeExt4Image } from '../support/ext4-image.ts'
import { loopDevice } from '../support/loop-device.ts'
import { mixedBytes } from '../support/mixed-bytes.ts'
import { needsLoopDevices } from '../support/requirements.ts'
import { writeSampleFiles } from '../support/sample-files.ts'
import { sha256File } from '../support/sha256-file.ts'
import { temporaryRepository, type TemporaryRepository } from '../support/temporary-repository.ts'
import { assertXfsClean, whileMounted, writeXfsImage, XFS_SIZE_BYTES_MIN } from '../support/xfs-image.ts'

const MIB = 1024 * 1024
const EXT4_SIZE = 64 * MIB

/** Writes what differs between two points as a change list, as `icecore diff` prints it. */
async function writeChangeList(repository: TemporaryRepository, points: readonly string[]): Promise<string> {
  const path = repository.folder.join('changes.json')
  const result = await repository.run(['diff', ...points, '--json'])
  assert.equal(result.exitCode, 0, result.stderr)
  writeFileSync(path, result.stdout)
  return path
}

async function assertRestores(
  repository: TemporaryRepository,
  point: string,
  expected: { readonly sha256: string; readonly assertClean: (path: string) => void },
): Promise<void> {
  const target = repository.folder.join('restored')
  await repository.restore([point, '--to', target, '--overwrite'])
  assert.equal(await sha256File(target), expected.sha256)
  expected.assertClean(target)
}

function makeExt4(repository: TemporaryRepository, path: string): void {
  const files = repository.folder.join('files')
  mkdirSync(files)
  writeSampleFiles(files, { contentBytes: 16 * MIB })
  writeExt4Image(path, { sizeBytes: EXT4_SIZE, filesFrom: files })
}

test('an ext4 image survives backup, both kinds of increment and restore', async () => {
  using repository = await temporaryRepository({ encrypted: true })
  const image = repository.folder.join('image')
  makeExt4(repository, image)
  const before = await sha256File(image)
  const first = await repository.backup([image, '--name', 'volume'])
  writeFileSync(repository.folder.join('letter'), mixedBytes('letter', 3 * MIB))
  changeExt4Image(image, ['rm etc/setting-7.conf', `write ${repository.folder.join('letter')} home/letter`])
  const after = await sha256File(image)
  const compared = await repository.backup([image, '--name', 'volume'])
  assert.equal(compared.done.mode, 'compared')
  const list = await writeChangeList(repository, [first.pointId, compared.pointId])
  // The same increment once more, from the first point, by the list.
  const listed = await repository.backup([
    image,
    '--name',
    'volume',
    '--base',
    first.pointId,
    '--changes',
    list,
  ])
  assert.equal(listed.done.mode, 'incremental')
  assert.equal(listed.objects[0]?.changedBytes, compared.objects[0]?.changedBytes)
  assert.ok((listed.objects[0]?.changedBytes ?? 0) < 8 * MIB)
  for (const { pointId } of [compared, listed]) {
    await assertRestores(repository, pointId, { sha256: after, assertClean: assertExt4Clean })
  }
  await assertRestores(repository, first.pointId, { sha256: before, assertClean: assertExt4Clean })
  await repository.assertWhole()
})

for (const sectorSizeBytes of [512, 4096]) {
  test(
    `an ext4 device with sectors of ${sectorSizeBytes} survives backup, increments and restore`,
    { skip: needsLoopDevices() },
    async () => {
      using repository = await temporaryRepository()
      const { folder } = repository
      const image = folder.join('image')
      makeExt4(repository, image)
      using source = loopDevice(image, { sectorSizeBytes })
      const before = await sha256File(image)
      const first = await repository.backup([source.path, '--name', 'volume'])
      writeFileSync(folder.join('letter'), mixedBytes('letter', 3 * MIB))
      whileMounted(image, folder.join('mounted'), () => {
        copyFileSync(folder.join('letter'), folder.join('mounted', 'letter'))
      })
      const after = await sha256File(image)
      const second = await repository.backup([source.path, '--name', 'volume'])
      const list = await writeChangeList(repository, [first.pointId, second.pointId])
      const base = ['--base', first.pointId]
      const third = await repository.backup([source.path, '--name', 'volume', ...base, '--changes', list])
      assert.equal(third.done.mode, 'incremental')
      assert.deepEqual(third.degraded, [])

      writeFileSync(folder.join('disk'), '')
      truncateSync(folder.join('disk'), EXT4_SIZE)
      using target = loopDevice(folder.join('disk'), { sectorSizeBytes })
      for (const [point, sha256] of [
        [third.pointId, after],
        [first.pointId, before],
        [second.pointId, after],
      ] as const) {
        const differing = point === first.pointId ? [] : ['--differing']
        await repository.restore([point, '--to', target.path, '--yes', ...differing])
        assert.equal(await sha256File(target.path), sha256)
        assertExt4Clean(target.path)
      }
      await repository.assertWhole()
    },
  )
}

test('an XFS image survives backup, increment and restore', { skip: needsLoopDevices() }, async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const image = folder.join('image')
  writeXfsImage(image, { sizeBytes: XFS_SIZE_BYTES_MIN, sectorSizeBytes: 512 })
  whileMounted(image, folder.join('mounted'), () => writeSampleFiles(folder.join('mounted')))
  const before = await sha256File(image)
  const first = await repository.backup([image, '--name', 'volume'])
  writeFileSync(folder.join('letter'), mixedBytes('letter', 3 * MIB))
  whileMounted(image, folder.join('mounted'), () => {
    copyFileSync(folder.join('letter'), folder.join('mounted', 'letter'))
  })
  const after = await sha256File(image)
  const second = await repository.backup([image, '--name', 'volume'])
  const list = await writeChangeList(repository, [first.pointId, second.pointId])
  const base = ['--base', first.pointId]
  const third = await repository.backup([image, '--name', 'volume', ...base, '--changes', list])
  assert.equal(third.done.mode, 'incremental')
  for (const [point, sha256] of [
    [third.pointId, after],
    [first.pointId, before],
  ] as const) {
    await assertRestores(repository, point, { sha256, assertClean: assertXfsClean })
  }
  await repository.assertWhole()
})
