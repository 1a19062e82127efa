import assert from 'node:assert/strict'
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { mixedBytes } from '../support/mixed-bytes.ts'
import { sha256File } from '../support/sha256-file.ts'
import { temporaryRepository } from '../support/temporary-repository.ts'

const KIB = 1024
const MIB = 1024 * KIB

test('images of any size come back: of one byte, of no whole sector or chunk, of zeros', async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  const sizes = [1, 511, 4097, 64 * KIB, 64 * KIB + 1, 3 * MIB + 12_345]
  const paths = sizes.map((sizeBytes) => {
    writeFileSync(folder.join(`of-${sizeBytes}`), mixedBytes(`${sizeBytes}`, sizeBytes))
    return folder.join(`of-${sizeBytes}`)
  })
  for (const [name, bytes] of [
    ['zeros', new Uint8Array(5 * MIB + 1)],
    ['hole', new Uint8Array(0)],
  ] as const) {
    writeFileSync(folder.join(name), bytes)
    truncateSync(folder.join(name), 5 * MIB + 1)
    paths.push(folder.join(name))
  }
  const made = await repository.backup([...paths, '--name', 'all'])
  assert.equal(made.objects.length, paths.length)
  for (const object of made.objects.slice(-2)) assert.equal(object.newChunkCount, 0, object.name)
  for (const path of paths) {
    const name = path.slice(folder.path.length + 1)
    for (const sparse of ['auto', 'never']) {
      const target = folder.join(`restored-${sparse}`)
      const words = [made.pointId, '--object', name, '--to', target, '--overwrite', '--sparse', sparse]
      await repository.restore(words)
      assert.equal(await sha256File(target), await sha256File(path), `${name}, sparse ${sparse}`)
    }
  }
  await repository.assertRefuses(['restore', 'latest', '--to', folder.join('never')], {
    exitCode: 2,
    code: 'OBJECT_MISSING',
    message: /it has 8 objects/,
  })
  await repository.assertRefuses(['restore', 'latest', '--object', 'no', '--to', folder.join('never')], {
    exitCode: 2,
    code: 'OBJECT_MISSING',
    message: /it has no object "no"/,
  })
  assert.ok(!existsSync(folder.join('never')))
  // Once more, nothing is new, and every object finds its own base.
  const again = await repository.backup([...paths, '--name', 'all'])
  assert.deepEqual(
    again.objects.map((object) => object.changedBytes),
    paths.map(() => 0),
  )
  await repository.assertWhole()
})

test('older points come back after newer ones', async () => {
  using repository = await temporaryRepository({ encrypted: true })
  const { folder } = repository
  const image = folder.join('image')
  const made: { readonly pointId: string; readonly sha256: string }[] = []
  for (let run = 0; run < 4; run += 1) {
    const bytes = mixedBytes('ground', 8 * MIB)
    bytes.set(mixedBytes(`run ${run}`, MIB), run * MIB)
    if (run === 2) bytes.fill(0, 4 * MIB)
    writeFileSync(image, bytes)
    const { pointId } = await repository.backup([image])
    made.push({ pointId, sha256: await sha256File(image) })
  }
  // Each is restored over another, writing only what differs, in an order that is not theirs.
  for (const index of [3, 0, 2, 1]) {
    const point = made[index]
    assert.ok(point !== undefined)
    await repository.restore([point.pointId, '--to', folder.join('restored'), '--differing'])
    assert.equal(await sha256File(folder.join('restored')), point.sha256)
  }
})

for (const init of [
  ['--chunk-size', '16KiB'],
  ['--chunk-size', '1MiB', '--compression', 'none'],
  ['--chunk-size', '4MiB', '--compression', 'zstd:9'],
]) {
  test(`a repository with ${init.join(' ')} gives back what it was given`, async () => {
    using repository = await temporaryRepository({ encrypted: init.length === 2, init })
    const { folder } = repository
    const image = folder.join('image')
    const bytes = mixedBytes('image', 22 * MIB + 777)
    writeFileSync(image, bytes)
    const first = await repository.backup([image])
    bytes.set(mixedBytes('change', 4096), 9 * MIB + 4096)
    bytes.fill(0, 16 * MIB, 21 * MIB)
    writeFileSync(image, bytes)
    writeFileSync(
      folder.join('changes.json'),
      JSON.stringify([
        { offset: 9 * MIB + 4096, length: 4096, exists: 'true' },
        { offset: 16 * MIB, length: 5 * MIB, exists: 'false' },
      ]),
    )
    const second = await repository.backup([image, '--changes', folder.join('changes.json')])
    assert.equal(second.done.mode, 'incremental')
    await repository.restore([second.pointId, '--to', folder.join('restored')])
    assert.equal(await sha256File(folder.join('restored')), await sha256File(image))
    const older = mixedBytes('image', 22 * MIB + 777)
    await repository.restore([first.pointId, '--to', folder.join('restored'), '--differing'])
    assert.equal(Buffer.compare(readFileSync(folder.join('restored')), older), 0)
    await repository.assertWhole()
  })
}
