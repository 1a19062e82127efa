import assert from 'node:assert/strict'
import { mkdirSync, mkdtempDisposableSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { copyState, fingerprintOf } from './state-copy.ts'

test('copyState() links packs, copies all else, and the fingerprint sees a pack that was written to', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'icecore-bench-'))
  const source = join(folder.path, 'source')
  const target = join(folder.path, 'target')
  mkdirSync(join(source, 'repo/packs/ab'), { recursive: true })
  writeFileSync(join(source, 'repo/packs/ab/abcd'), 'pack')
  writeFileSync(join(source, 'repo/config'), 'config')
  const before = fingerprintOf(source)

  copyState(source, target)
  assert.equal(
    statSync(join(target, 'repo/packs/ab/abcd')).ino,
    statSync(join(source, 'repo/packs/ab/abcd')).ino,
  )
  writeFileSync(join(target, 'repo/config'), 'another')
  assert.equal(readFileSync(join(source, 'repo/config'), 'utf8'), 'config')
  assert.equal(fingerprintOf(source), before)

  writeFileSync(join(target, 'repo/packs/ab/abcd'), 'longer pack')
  assert.notEqual(fingerprintOf(source), before)
})
