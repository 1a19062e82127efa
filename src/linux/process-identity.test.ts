import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { isWordOfDead, ownProcessIdentity, processWord } from './process-identity.ts'

test('isWordOfDead() tells a process that runs from one that has ended, or ran before the host did', () => {
  const own = ownProcessIdentity()
  assert.match(processWord(own), /^[0-9a-f]{32}\.\d+\.\d+$/)
  assert.equal(isWordOfDead(processWord(own)), false)
  // The number is used again by another process, which began at another time.
  assert.equal(isWordOfDead(processWord({ ...own, pidStart: own.pidStart + 1 })), true)
  assert.equal(isWordOfDead(processWord({ ...own, bootId: '0'.repeat(32) })), true)
  for (const word of ['', 'x', 'a.b.c']) assert.equal(isWordOfDead(word), true, word)
})

test('isWordOfDead() notices that a process was killed', async () => {
  const child = spawn('sleep', ['1000'])
  await once(child, 'spawn')
  const module = `/proc/${child.pid}/stat`
  const { readFileSync } = await import('node:fs')
  const stat = readFileSync(module, 'utf8')
  const pidStart = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
  const word = processWord({ ...ownProcessIdentity(), pid: child.pid ?? 0, pidStart })
  assert.equal(isWordOfDead(word), false)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(isWordOfDead(word), true)
})
