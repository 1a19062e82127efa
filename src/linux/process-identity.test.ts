import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { livenessOf, ownProcessIdentity, processWord } from './process-identity.ts'

test('livenessOf() tells a process that runs from one that has ended, ran before the host did, or runs elsewhere', () => {
  const own = ownProcessIdentity()
  assert.match(processWord(own), /^[0-9a-f]{16}\.[0-9a-f]{32}\.\d+\.\d+$/)
  assert.equal(livenessOf(processWord(own)), 'alive')
  // The number is used again by another process, which began at another time.
  assert.equal(livenessOf(processWord({ ...own, pidStart: own.pidStart + 1 })), 'dead')
  assert.equal(livenessOf(processWord({ ...own, bootId: '0'.repeat(32) })), 'dead')
  assert.equal(livenessOf(processWord({ ...own, host: 'another' })), 'elsewhere')
  for (const word of ['', 'x', 'a.b.c']) assert.equal(livenessOf(word), 'elsewhere', word)
})

test('livenessOf() notices that a process was killed', async () => {
  const child = spawn('sleep', ['1000'])
  await once(child, 'spawn')
  const module = `/proc/${child.pid}/stat`
  const { readFileSync } = await import('node:fs')
  const stat = readFileSync(module, 'utf8')
  const pidStart = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
  const word = processWord({ ...ownProcessIdentity(), pid: child.pid ?? 0, pidStart })
  assert.equal(livenessOf(word), 'alive')
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(livenessOf(word), 'dead')
})
