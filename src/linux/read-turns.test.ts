import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { ReadTurns } from './read-turns.ts'

test('ReadTurns lets so many go on at a time, in their order, whatever becomes of them', async () => {
  const turns = new ReadTurns(3)
  const begun: number[] = []
  const ends: PromiseWithResolvers<void>[] = []
  const all = Array.from({ length: 8 }, (_, index) =>
    turns.do(async () => {
      begun.push(index)
      const end = Promise.withResolvers<void>()
      ends.push(end)
      await end.promise
    }),
  )
  const settled = Promise.allSettled(all)
  for (let index = 0; index < 8; index += 1) {
    await nextTurn()
    assert.deepEqual(begun, [...Array(Math.min(8, index + 3)).keys()])
    if (index % 2 === 0) ends[index]?.resolve()
    else ends[index]?.reject(new Error('it broke'))
  }
  const states = (await settled).map(({ status }) => status)
  assert.deepEqual(states.slice(0, 2), ['fulfilled', 'rejected'])
  let done = false
  await turns.do(() => Promise.resolve(void (done = true)))
  assert.ok(done)
})
