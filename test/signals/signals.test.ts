import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { atProgress, READING } from '../support/at-progress.ts'
import { mixedBytes } from '../support/mixed-bytes.ts'
import { sha256File } from '../support/sha256-file.ts'
import { temporaryRepository } from '../support/temporary-repository.ts'

const MIB = 1024 * 1024
const IMAGE_SIZE = 96 * MIB

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`backup ends in order on ${signal}, and the next run reuses what it stored`, async () => {
    using repository = await temporaryRepository({ encrypted: true })
    const image = repository.folder.join('image')
    writeFileSync(image, mixedBytes(signal, IMAGE_SIZE))
    const words = ['backup', image, '--lanes', '1']
    const result = await repository.run([...words, '--progress', 'json'], {
      onStart: atProgress(READING, (child) => child.kill(signal)),
    })
    assert.equal(result.exitCode, 130, result.stderr)
    assert.equal(result.stdout, '')
    const lines = result.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
    assert.equal(lines.length, 2, result.stderr)
    assert.equal(lines[0], `icecore: Cancelled by ${signal}`)
    assert.deepEqual(repository.files('writers'), [])
    assert.deepEqual(repository.files('temporary'), [])
    assert.deepEqual(await repository.points(), [])
    assert.ok(repository.files('index').length > 0, 'what was stored has its index')
    await repository.assertWhole()
    const made = await repository.backup(words.slice(1))
    const [object] = made.objects
    assert.ok(object !== undefined)
    assert.ok(object.reusedChunkCount > 0, `${object.reusedChunkCount} chunks reused`)
    await repository.restore(['latest', '--to', repository.folder.join('restored')])
    assert.equal(await sha256File(repository.folder.join('restored')), await sha256File(image))
  })
}

test('a second SIGINT ends backup at once, and the next run completes', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('image')
  writeFileSync(image, mixedBytes('twice', IMAGE_SIZE))
  const result = await repository.run(['backup', image, '--lanes', '1', '--progress', 'json'], {
    onStart: atProgress(READING, (child) => {
      // Two that wait for a stopped process are one: the second is sent when the first has been delivered.
      child.kill('SIGINT')
      child.kill('SIGCONT')
      setTimeout(() => child.kill('SIGINT'), 20)
    }),
  })
  assert.equal(result.exitCode, 130, result.stderr)
  await repository.assertWhole()
  await repository.backup([image])
  assert.deepEqual(repository.files('writers'), [])
  assert.deepEqual(repository.files('temporary'), [])
})

test('restore ends in order on SIGTERM and leaves no file', async () => {
  using repository = await temporaryRepository()
  const image = repository.folder.join('image')
  writeFileSync(image, mixedBytes('restored', IMAGE_SIZE))
  await repository.backup([image])
  const target = repository.folder.join('target')
  writeFileSync(target, 'mine')
  const words = ['restore', 'latest', '--to', target, '--overwrite', '--lanes', '1', '--progress', 'json']
  const result = await repository.run(words, {
    onStart: atProgress(READING, (child) => child.kill('SIGTERM')),
  })
  assert.equal(result.exitCode, 130, result.stderr)
  assert.equal(readFileSync(target, 'utf8'), 'mine')
  assert.deepEqual(
    readdirSync(repository.folder.path).filter((name) => name.includes('partial')),
    [],
  )
})
