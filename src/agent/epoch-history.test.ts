import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EpochHistory } from './epoch-history.ts'

const MIB = 1024 * 1024

test('movedSince() brings a map of any epoch up to date', () => {
  const history = new EpochHistory('image')
  const first = history.newest
  assert.deepEqual(history.movedSince(first), [])
  history.add([
    { offset: 8 * MIB, length: MIB },
    { offset: 0, length: MIB },
  ])
  const second = history.newest
  history.add([])
  assert.equal(history.newest, second)
  history.add([{ offset: MIB / 2, length: MIB }])
  assert.deepEqual(history.movedSince(first), [
    { offset: 0, length: 1.5 * MIB },
    { offset: 8 * MIB, length: MIB },
  ])
  assert.deepEqual(history.movedSince(second), [{ offset: MIB / 2, length: MIB }])
  assert.deepEqual(history.movedSince(history.newest), [])
})

test('movedSince() refuses epochs of other images, and of the future', () => {
  const history = new EpochHistory('image')
  for (const epoch of [
    'other-1',
    'image-2',
    'image-0',
    'image-1e0',
    'image-',
    '',
    'image-01',
    'x'.repeat(5000),
  ]) {
    assert.throws(() => history.movedSince(epoch), { code: 'USAGE_WRONG' })
  }
})

test('movedSince() of an epoch of long ago says more than moved, never less', () => {
  const history = new EpochHistory('image')
  const first = history.newest
  const second = ((): string => {
    history.add([{ offset: 0, length: 512 }])
    return history.newest
  })()
  for (let number = 1; number <= 400; number += 1) history.add([{ offset: number * MIB, length: 512 }])
  assert.equal(history.movedSince(first).length, 401)
  // What became one step with the first is told again.
  assert.equal(history.movedSince(second).length, 401)
  assert.deepEqual(history.movedSince(history.newest), [])
})

test('add() remembers a map in very many pieces coarsely', () => {
  const history = new EpochHistory('image')
  const first = history.newest
  const pieces = Array.from({ length: 300_000 }, (_, at) => ({ offset: at * 128 * 1024, length: 4096 }))
  history.add(pieces)
  const moved = history.movedSince(first)
  assert.ok(moved.length <= 131_072, String(moved.length))
  const last = pieces.at(-1)
  assert.deepEqual(
    [moved[0]?.offset, (moved.at(-1)?.offset ?? 0) + (moved.at(-1)?.length ?? 0)],
    [0, (last?.offset ?? 0) + 4096],
  )
})
