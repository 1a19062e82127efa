import assert from 'node:assert/strict'
import { closeSync, mkdirSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { test } from 'node:test'

import { atProgress, READING } from '../support/at-progress.ts'
import { loopDevice } from '../support/loop-device.ts'
import { mixedBytes } from '../support/mixed-bytes.ts'
import { needsLoopDevices, needsOrdinaryUser } from '../support/requirements.ts'
import { runTool } from '../support/run-tool.ts'
import { sha256File } from '../support/sha256-file.ts'
import { assertRefused, temporaryRepository } from '../support/temporary-repository.ts'
import { writeExt4Image } from '../support/ext4-image.ts'

const MIB = 1024 * 1024

test('backup refuses what is no volume, and stores nothing', async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  mkdirSync(folder.join('directory'))
  writeFileSync(folder.join('empty'), '')
  runTool('mkfifo', [folder.join('pipe')])
  const refusals = [
    { path: folder.join('nothing'), code: 'SOURCE_MISSING', message: /it does not exist/ },
    { path: folder.join('empty', 'inside'), code: 'SOURCE_MISSING', message: /it does not exist/ },
    { path: folder.join('directory'), code: 'SOURCE_UNSUITABLE', message: /it is a directory/ },
    { path: '/dev/zero', code: 'SOURCE_UNSUITABLE', message: /it is a character device/ },
    { path: folder.join('pipe'), code: 'SOURCE_UNSUITABLE', message: /it is a (named )?pipe|FIFO/i },
    { path: folder.join('empty'), code: 'SOURCE_UNSUITABLE', message: /it holds 0 bytes/ },
  ]
  for (const { path, code, message } of refusals) {
    await repository.assertRefuses(['backup', path], { exitCode: 4, code, message, data: { path } })
  }
  const image = folder.join('image')
  writeFileSync(image, mixedBytes('twice', MIB))
  await repository.assertRefuses(['backup', image, image], {
    exitCode: 2,
    code: 'USAGE_WRONG',
    message: /the same as/,
  })
  assert.deepEqual(
    ['points', 'packs', 'writers', 'temporary'].flatMap((name) => repository.files(name)),
    [],
  )
})

test('backup refuses a source that its user may not read', { skip: needsOrdinaryUser() }, async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('image')
  writeFileSync(image, mixedBytes('secret', MIB), { mode: 0o200 })
  const result = await repository.run(['backup', image, '--json'])
  assertRefused(result, { exitCode: 4, code: 'SOURCE_UNREADABLE', message: /EACCES/ })
})

test('backup handles a source that shrank or grew since its base', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('image')
  const restored = repository.folder.join('restored')
  const list = repository.folder.join('changes.json')
  writeFileSync(image, mixedBytes('before', 20 * MIB))
  writeFileSync(list, '[]')
  await repository.backup([image])
  for (const sizeBytes of [7 * MIB + 1234, 30 * MIB + 1, 5000]) {
    truncateSync(image, sizeBytes)
    const words = sizeBytes === 5000 ? [image] : [image, '--changes', list]
    const made = await repository.backup(words)
    assert.equal(made.objects[0]?.sizeBytes, sizeBytes)
    await repository.restore([made.pointId, '--to', restored, '--overwrite'])
    assert.equal(await sha256File(restored), await sha256File(image))
  }
  await repository.assertWhole()
})

test('backup makes no point of an image that shrinks or is written to meanwhile', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('image')
  const size = 96 * MIB
  const writeByte = (): void => {
    const file = openSync(image, 'r+')
    writeSync(file, 'x', size - 100)
    closeSync(file)
  }
  writeFileSync(image, mixedBytes('moving', size))
  const before = await repository.backup([image, '--name', 'earlier', '--lanes', '1'])
  const bytes = mixedBytes('moving again', size)
  for (const act of [() => truncateSync(image, 20 * MIB), writeByte]) {
    writeFileSync(image, bytes)
    const words = ['backup', image, '--lanes', '1', '--json', '--progress', 'json']
    const result = await repository.run(words, { onStart: atProgress(READING, act) })
    const isShrunk = result.stdout.includes('SOURCE_SHRANK')
    assertRefused(result, {
      exitCode: 4,
      code: isShrunk ? 'SOURCE_SHRANK' : 'SOURCE_CHANGED',
      message: isShrunk ? /the source ends there/ : /it was written to while it was read/,
    })
  }
  assert.deepEqual(
    (await repository.points()).map(({ id }) => id),
    [before.pointId],
  )
  assert.deepEqual(repository.files('writers'), [])
  const next = await repository.backup([image, '--lanes', '2'])
  const [object] = next.objects
  assert.ok(object !== undefined)
  assert.ok(object.reusedChunkCount > 1200, `${object.reusedChunkCount} chunks reused`)
  await repository.assertWhole()
})

test('backup refuses a mounted device unless told to', { skip: needsLoopDevices() }, async () => {
  using repository = await temporaryRepository()
  const { folder } = repository
  writeExt4Image(folder.join('image'), { sizeBytes: 16 * MIB })
  using device = loopDevice(folder.join('image'))
  mkdirSync(folder.join('mounted'))
  runTool('mount', [device.path, folder.join('mounted')])
  try {
    for (const path of [device.path, folder.join('image')]) {
      await repository.assertRefuses(['backup', path], {
        exitCode: 4,
        code: 'SOURCE_IN_USE',
        message: /mounted for writing at ".*\/mounted"/,
      })
    }
    assert.deepEqual(await repository.points(), [])
    const made = await repository.backup([device.path, '--allow-mounted'], 3)
    assert.deepEqual(
      made.degraded.map(({ code }) => code),
      ['SOURCE_IN_USE'],
    )
    runTool('mount', ['-o', 'remount,ro', folder.join('mounted')])
    assert.deepEqual((await repository.backup([device.path])).degraded, [])
  } finally {
    runTool('umount', [folder.join('mounted')])
  }
  await repository.assertWhole()
})

test(
  'backup says where a device failed, and reuses what it stored',
  { skip: needsLoopDevices() },
  async () => {
    using repository = await temporaryRepository()
    const file = repository.folder.join('file')
    const bytes = mixedBytes('failing', 48 * MIB)
    writeFileSync(file, bytes)
    using device = loopDevice(file)
    truncateSync(file, 32 * MIB) // What lies beyond, the device can no longer read.
    // Whole: to look for what is free reads the ends first, and would fail before anything is stored.
    const result = await repository.run(['backup', device.path, '--whole', '--lanes', '1', '--json'])
    assertRefused(result, {
      exitCode: 4,
      code: 'SOURCE_READ_FAILED',
      message: /^Cannot read "\/dev\/loop\d+" at offset \d+, length \d+: .*EIO/,
      data: { path: device.path },
    })
    const [, offset = 0, length = 0] = (/offset (\d+), length (\d+)/.exec(result.stdout) ?? []).map(Number)
    assert.ok(offset + length > 32 * MIB && offset < 48 * MIB, `offset ${offset}, length ${length}`)
    assert.deepEqual(await repository.points(), [])
    assert.deepEqual(repository.files('writers'), [])
    await repository.assertWhole()
    writeFileSync(file, bytes, { flag: 'r+' })
    const made = await repository.backup([device.path, '--whole', '--lanes', '1'])
    const [object] = made.objects
    assert.ok(object !== undefined)
    assert.ok(object.reusedChunkCount > 300, `${object.reusedChunkCount} chunks reused`)
    await repository.restore([made.pointId, '--to', repository.folder.join('restored')])
    assert.equal(await sha256File(repository.folder.join('restored')), await sha256File(file))
  },
)
