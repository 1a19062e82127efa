import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FrozenSource } from '../freeze/frozen-source.ts'
import { challengeFirst } from './challenge-first.ts'

const { signal } = new AbortController()

test('challengeFirst() gives its answer to who asks within a minute, once', async () => {
  const scene = openScene()
  const { challenge } = (await challengeFirst(scene.source, signal, scene.nowMs)).frozen
  assert.equal(scene.count(), 1)
  scene.pass(59_000)
  assert.equal(await challenge?.(signal), 1)
  assert.equal(scene.count(), 1)
  assert.equal(await challenge?.(signal), 2)
  assert.equal(await challenge?.(signal), 3)
})

test('challengeFirst() has it asked again of an image that is read much later', async () => {
  const scene = openScene()
  const { challenge } = (await challengeFirst(scene.source, signal, scene.nowMs)).frozen
  scene.pass(60_000)
  assert.equal(await challenge?.(signal), 2)
})

test('challengeFirst() throws what the challenge throws, and leaves alone what nobody challenges', async () => {
  const failure = new Error('another disk')
  await assert.rejects(
    challengeFirst(
      sourceOf(() => Promise.reject(failure)),
      signal,
    ),
    failure,
  )
  const source = sourceOf()
  assert.equal(await challengeFirst(source, signal), source)
})

function openScene() {
  let nowMs = 5
  let count = 0
  return {
    source: sourceOf(() => Promise.resolve((count += 1))),
    nowMs: () => nowMs,
    pass: (milliseconds: number) => (nowMs += milliseconds),
    count: () => count,
  }
}

function sourceOf(challenge?: () => Promise<number>): FrozenSource {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of a source is looked at
  return { frozen: challenge === undefined ? {} : { challenge } } as unknown as FrozenSource
}
