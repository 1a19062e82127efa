import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FrozenPart, FrozenSource } from '../freeze/frozen-source.ts'
import { challengeFirst } from './challenge-first.ts'

const { signal } = new AbortController()

test('challengeFirst() gives its answer to who asks within a minute, once', async () => {
  await using scene = openScene()
  await scene.part.challenged?.()
  assert.equal(scene.count(), 1)
  scene.pass(59_000)
  assert.equal(await scene.part.challenge?.(signal), 1)
  assert.equal(scene.count(), 1)
  assert.equal(await scene.part.challenge?.(signal), 2)
  assert.equal(await scene.part.challenge?.(signal), 3)
})

test('challengeFirst() has it asked again of an image that is read much later', async () => {
  await using scene = openScene()
  await scene.part.challenged?.()
  scene.pass(60_000)
  assert.equal(await scene.part.challenge?.(signal), 2)
})

test('challengeFirst() challenges one source after the other, and all fail that come after one that failed', async () => {
  const failure = new Error('another disk')
  const log: string[] = []
  const sources = new Map(
    ['a', 'b', 'c'].map((name) => [
      name,
      sourceOf(async () => {
        log.push(`${name} begins`)
        await sleep(5)
        log.push(`${name} ends`)
        if (name === 'b') throw failure
        return 64
      }),
    ]),
  )
  await using begun = challengeFirst(sources, signal)
  const partOf = (name: string): FrozenPart | undefined => begun.sources.get(name)?.frozen
  await assert.rejects(async () => partOf('c')?.challenge?.(signal), failure)
  await assert.rejects(async () => partOf('b')?.challenged?.(), failure)
  await partOf('a')?.challenged?.()
  assert.deepEqual(log, ['a begins', 'a ends', 'b begins', 'b ends'])
})

test('challengeFirst() has ended what it began when it is disposed of', async () => {
  let isReading = false
  const source = sourceOf(async (now) => {
    isReading = true
    await sleep(60_000, undefined, { signal: now }).catch(() => sleep(5))
    isReading = false
    return 64
  })
  {
    await using _begun = challengeFirst(new Map([['a', source]]), signal)
    await sleep(1)
    assert.ok(isReading)
  }
  assert.ok(!isReading)
})

test('challengeFirst() leaves alone what nobody challenges', async () => {
  const source = sourceOf()
  await using begun = challengeFirst(new Map([['a', source]]), signal)
  assert.equal(begun.sources.get('a'), source)
})

function openScene() {
  let nowMs = 5
  let count = 0
  const sources = new Map([['a', sourceOf(() => Promise.resolve((count += 1)))]])
  const begun = challengeFirst(sources, signal, () => nowMs)
  return {
    part: begun.sources.get('a')?.frozen ?? assert.fail(),
    pass: (milliseconds: number) => (nowMs += milliseconds),
    count: () => count,
    [Symbol.asyncDispose]: () => begun[Symbol.asyncDispose](),
  }
}

function sourceOf(challenge?: FrozenPart['challenge']): FrozenSource {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of a source is looked at
  return { frozen: challenge === undefined ? {} : { challenge } } as unknown as FrozenSource
}
