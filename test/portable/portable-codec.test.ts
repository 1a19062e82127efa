import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { mixedBytes } from '../support/mixed-bytes.ts'
import { sha256File } from '../support/sha256-file.ts'
import { temporaryRepository } from '../support/temporary-repository.ts'

const MIB = 1024 * 1024
const PORTABLE = { environment: { ICECORE_NATIVE: 'off' } }

test('without the native library all works, backup says so, and either reads what the other wrote', async () => {
  using repository = await temporaryRepository({ encrypted: true })
  const { folder } = repository
  const image = folder.join('image')
  const bytes = mixedBytes('image', 20 * MIB + 99)
  writeFileSync(image, bytes)
  const first = await repository.run(['backup', image, '--name', 'volume', '--json'], PORTABLE)
  assert.equal(first.exitCode, 3, first.stderr)
  assert.match(first.stdout, /"PORTABLE_CODEC"/)

  // The native codec finds every chunk that the portable one stored.
  const second = await repository.backup([image, '--name', 'volume', '--base', 'none'])
  assert.equal(second.objects[0]?.newChunkCount, 0)
  assert.deepEqual(second.degraded, [])
  bytes.set(mixedBytes('change', MIB), 3 * MIB)
  writeFileSync(image, bytes)
  await repository.backup([image, '--name', 'volume'])

  for (const [name, options] of [
    ['native', {}],
    ['portable', PORTABLE],
  ] as const) {
    const target = folder.join(name)
    const restored = await repository.run(['restore', 'latest', '--to', target], options)
    assert.equal(restored.exitCode, 0, restored.stderr)
    assert.equal(await sha256File(target), await sha256File(image), name)
    const checked = await repository.run(['check', '--data', '--json'], options)
    assert.equal(checked.exitCode, 0, checked.stdout)
  }
  const differing = ['restore', 'latest', '--to', folder.join('native'), '--differing', '--json']
  const nothing = await repository.run(differing, PORTABLE)
  assert.equal(nothing.exitCode, 0, nothing.stderr)
  assert.match(nothing.stdout, /"writtenBytes": 0,/)
})
