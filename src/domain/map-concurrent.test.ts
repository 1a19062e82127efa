import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

import { mapConcurrent } from './map-concurrent.ts'

async function* numbers(count: number): AsyncGenerator<number> {
  for (let number = 0; number < count; number += 1) yield await Promise.resolve(number)
}

test('mapConcurrent() keeps the order and the bound, and uses it', async () => {
  let running = 0
  let most = 0
  const results = mapConcurrent(numbers(50), 7, async (number) => {
    running += 1
    most = Math.max(most, running)
    await sleep((number * 7) % 5)
    running -= 1
    return number * 2
  })
  assert.deepEqual(
    await Array.fromAsync(results),
    Array.from({ length: 50 }, (_, number) => number * 2),
  )
  assert.equal(most, 7)
})

test('mapConcurrent() throws a late failure in its turn, and leaves none unhandled', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown): number => unhandled.push(reason)
  process.on('unhandledRejection', note)
  try {
    const seen: number[] = []
    const results = mapConcurrent(numbers(6), 6, async (number) => {
      if (number >= 3) throw new Error(`number ${number}`)
      await sleep(20)
      return number
    })
    await assert.rejects(async () => {
      for await (const result of results) seen.push(result)
    }, /number 3/)
    assert.deepEqual(seen, [0, 1, 2])
    await turn()
    await turn()
    assert.deepEqual(unhandled, [])
  } finally {
    process.off('unhandledRejection', note)
  }
})

test('mapConcurrent() waits for what is under way when it is left early or its source fails', async () => {
  for (const how of ['left', 'source fails'] as const) {
    let running = 0
    async function* source(): AsyncGenerator<number> {
      yield* numbers(3)
      if (how === 'source fails') throw new Error('no more')
      yield* numbers(9)
    }
    const results = mapConcurrent(source(), 4, async (number) => {
      running += 1
      await sleep(10)
      running -= 1
      return number
    })
    const walk = async (): Promise<void> => {
      for await (const _ of results) if (how === 'left') break
    }
    if (how === 'left') await walk()
    else await assert.rejects(walk(), /no more/)
    assert.equal(running, 0)
  }
})
