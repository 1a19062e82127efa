import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { lockHost } from './host-lock.ts'

const { signal } = new AbortController()

test('lockHost() lets one at a time, and the next when it is done', async () => {
  const name = `test-${process.pid}-turns`
  const log: string[] = []
  const first = await lockHost(name, signal)
  const takeSecond = async (): Promise<void> => {
    await using _held = await lockHost(name, signal)
    log.push('second')
  }
  const second = takeSecond()
  await sleep(150)
  log.push('first done')
  await first[Symbol.asyncDispose]()
  await second
  assert.deepEqual(log, ['first done', 'second'])
})

test('lockHost() gets the lock of a process that was killed', async () => {
  const name = `test-${process.pid}-killed`
  const module = new URL('./host-lock.ts', import.meta.url).href
  const code = `const { lockHost } = await import(${JSON.stringify(module)});
    await lockHost(${JSON.stringify(name)}, new AbortController().signal);
    console.log('held'); setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  const early = AbortSignal.timeout(200)
  await assert.rejects(lockHost(name, early))
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  const held = await lockHost(name, signal)
  await held[Symbol.asyncDispose]()
})

test('lockHost() stops waiting when it is cancelled', async () => {
  const name = `test-${process.pid}-cancelled`
  await using _held = await lockHost(name, signal)
  await assert.rejects(lockHost(name, AbortSignal.timeout(100)), /abort|timeout/i)
})
