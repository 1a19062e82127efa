import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { mixedBytes } from '../support/mixed-bytes.ts'
import { needsLoopDevices, needsOrdinaryUser } from '../support/requirements.ts'
import { loopDevice } from '../support/loop-device.ts'
import { runTool } from '../support/run-tool.ts'
import { sha256File } from '../support/sha256-file.ts'
import {
  assertRefused,
  temporaryRepository,
  type TemporaryRepository,
} from '../support/temporary-repository.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const MIB = 1024 * 1024

/** The commands that a repository is used with, none of which may do anything to one that is not sound. */
function commandsOn(repository: TemporaryRepository, image: string): string[][] {
  return [
    ['backup', image],
    ['points'],
    ['restore', 'latest', '--to', repository.folder.join('never')],
    ['check'],
  ]
}

/** A configuration with a last line that fits. */
function withDigest(text: string): string {
  const body = text.slice(0, text.lastIndexOf('sha256 '))
  return `${body}sha256 ${createHash('sha256').update(body).digest('hex')}\n`
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

test('commands refuse a repository that is missing', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('image')
  writeFileSync(image, mixedBytes('image', MIB))
  rmSync(repository.path, { recursive: true })
  for (const words of commandsOn(repository, image)) {
    await repository.assertRefuses(words, {
      exitCode: 5,
      code: 'REPOSITORY_MISSING',
      message: /there is no repository/,
    })
  }
  mkdirSync(repository.path)
  const words = ['backup', image]
  await repository.assertRefuses(words, {
    exitCode: 5,
    code: 'REPOSITORY_MISSING',
    message: /no file "config"/,
  })
  assert.deepEqual(repository.files('.'), [], 'nothing is made where nothing is')
})

test('commands refuse a repository whose configuration is not sound, and use it when it is back', async () => {
  using repository = await temporaryRepository({ encrypted: true })
  const image = repository.folder.join('image')
  writeFileSync(image, mixedBytes('image', MIB))
  await repository.backup([image])
  const config = `${repository.path}/config`
  const sound = readFileSync(config)
  const text = sound.toString('utf8')
  const newer = withDigest(text.replace('"version": 1', '"version": 2'))
  const changes: { bytes: string | Uint8Array; code: string; message: RegExp }[] = [
    {
      bytes: newer,
      code: 'REPOSITORY_NEWER',
      message: /its format is version 2, this icecore reads up to 1/,
    },
    { bytes: '', code: 'REPOSITORY_DAMAGED', message: /its last line is not a SHA-256/ },
    { bytes: text.slice(0, 300), code: 'REPOSITORY_DAMAGED', message: /is damaged/ },
    { bytes: text.slice(0, -2), code: 'REPOSITORY_DAMAGED', message: /is damaged/ },
    { bytes: `${text}\n`, code: 'REPOSITORY_DAMAGED', message: /is damaged/ },
    { bytes: withDigest('{}\nsha256 '), code: 'REPOSITORY_DAMAGED', message: /is damaged/ },
    { bytes: withDigest('{"\nsha256 '), code: 'REPOSITORY_DAMAGED', message: /it is not JSON/ },
    // What the key slots bind cannot be changed without the key, whatever the last line says.
    {
      bytes: withDigest(text.replace('"chunkSizeBytes": 65536', '"chunkSizeBytes": 32768')),
      code: 'PASSWORD_WRONG',
      message: /opens none of its 2 key slots/,
    },
  ]
  for (let at = 0; at < sound.byteLength; at += 397) {
    changes.push({ bytes: flipped(sound, at), code: 'REPOSITORY_DAMAGED', message: /is damaged/ })
  }
  for (const [index, { bytes, code, message }] of changes.entries()) {
    writeFileSync(config, bytes)
    const all = commandsOn(repository, image)
    const words = all[index % all.length] ?? []
    assertRefused(await repository.run([...words, '--json']), { exitCode: 5, code, message })
  }
  writeFileSync(config, newer)
  await repository.assertRefuses(['points'], {
    exitCode: 5,
    code: 'REPOSITORY_NEWER',
    message: /its format is version 2/,
  })
  writeFileSync(config, sound)
  assert.equal((await repository.points()).length, 1)
  await repository.assertWhole()
})

test('commands refuse a wrong password, and the recovery key opens', async () => {
  using repository = await temporaryRepository({ encrypted: true })
  const image = repository.folder.join('image')
  writeFileSync(image, mixedBytes('image', MIB))
  await repository.backup([image])
  for (const words of commandsOn(repository, image)) {
    const result = await repository.run(words, { environment: { ICECORE_PASSWORD: 'wrong' } })
    const message = /the password opens none of its 2 key slots/
    assertRefused(result, { exitCode: 5, code: 'PASSWORD_WRONG', message })
  }
  const none = await repository.run(['points', '--json'], { environment: { ICECORE_PASSWORD: '' } })
  assertRefused(none, { exitCode: 5, code: 'PASSWORD_MISSING', message: /there is no terminal/ })
  const restored = repository.folder.join('restored')
  const words = ['restore', 'latest', '--to', restored, '--password-file', repository.recoveryKeyPath]
  const result = await repository.run(words, { environment: { ICECORE_PASSWORD: '' } })
  assert.equal(result.exitCode, 0, result.stderr)
  assert.equal(await sha256File(restored), await sha256File(image))
})

test('backup on a full file system keeps what it stored', { skip: needsLoopDevices() }, async () => {
  using folder = temporaryFolder()
  const disk = folder.join('disk')
  writeFileSync(disk, '')
  truncateSync(disk, 96 * MIB)
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', '-m', '0', disk])
  using device = loopDevice(disk)
  mkdirSync(folder.join('mounted'))
  runTool('mount', [device.path, folder.join('mounted')])
  try {
    using repository = await temporaryRepository({ path: folder.join('mounted', 'repository') })
    const image = folder.join('image')
    writeFileSync(folder.join('mounted', 'ballast'), mixedBytes('ballast', 60 * MIB))
    writeFileSync(image, mixedBytes('fits', 8 * MIB))
    const { pointId } = await repository.backup([image, '--name', 'fits'])
    writeFileSync(image, mixedBytes('does not fit', 64 * MIB))
    const expected = {
      exitCode: 5,
      code: 'STORE_FULL',
      message: /^(icecore: )?Cannot write ".*": the file system of the repository is full$/,
    }
    await repository.assertRefuses(['backup', image, '--lanes', '1'], expected)
    assert.deepEqual(
      (await repository.points()).map(({ id }) => id),
      [pointId],
    )
    await repository.assertWhole()
    rmSync(folder.join('mounted', 'ballast'))
    const made = await repository.backup([image, '--lanes', '1'])
    const [object] = made.objects
    assert.ok(object !== undefined)
    assert.ok(object.reusedChunkCount > 0, 'what fitted is reused')
    assert.deepEqual(repository.files('writers'), [])
    await repository.assertWhole()
  } finally {
    runTool('umount', [folder.join('mounted')])
  }
})

test('backup refuses a read-only repository, and restore works', { skip: needsLoopDevices() }, async () => {
  using folder = temporaryFolder()
  const disk = folder.join('disk')
  writeFileSync(disk, '')
  truncateSync(disk, 32 * MIB)
  runTool('mke2fs', ['-q', '-F', '-t', 'ext4', disk])
  using device = loopDevice(disk)
  mkdirSync(folder.join('mounted'))
  runTool('mount', [device.path, folder.join('mounted')])
  try {
    using repository = await temporaryRepository({ path: folder.join('mounted', 'repository') })
    const image = folder.join('image')
    writeFileSync(image, mixedBytes('image', 4 * MIB))
    await repository.backup([image])
    runTool('mount', ['-o', 'remount,ro', folder.join('mounted')])
    await repository.assertRefuses(['backup', image], {
      exitCode: 5,
      code: 'STORE_READ_ONLY',
      message: /the repository may not be written here \(EROFS\)/,
    })
    await repository.restore(['latest', '--to', folder.join('restored')])
    assert.equal(await sha256File(folder.join('restored')), await sha256File(image))
    await repository.assertWhole()
  } finally {
    runTool('umount', [folder.join('mounted')])
  }
})

test('backup refuses a repository that its user may not write', { skip: needsOrdinaryUser() }, async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('image')
  writeFileSync(image, mixedBytes('image', MIB))
  await repository.backup([image])
  const folders = ['', '/packs', '/writers', '/temporary']
  for (const name of folders) chmodSync(`${repository.path}${name}`, 0o500)
  await repository.assertRefuses(['backup', image], {
    exitCode: 5,
    code: 'STORE_READ_ONLY',
    message: /EACCES/,
  })
  for (const name of folders) chmodSync(`${repository.path}${name}`, 0o700)
  await repository.assertWhole()
})
