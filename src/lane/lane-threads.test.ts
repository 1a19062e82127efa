import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { startSpareThreads } from './lane-threads.ts'

test('spare threads that nobody takes end at any moment of their start, and nothing else does', async () => {
  for (let delayMs = 0; delayMs < 60; delayMs += 1) {
    const spares = startSpareThreads(2)
    await sleep(delayMs)
    await spares[Symbol.asyncDispose]()
  }
  assert.ok(true, 'this process is still there')
})
