import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { AuditLog, lastCalls, type AuditLine } from './audit-log.ts'

function line(about: string): AuditLine {
  const who = { peer: 'mover', serial: '0A', method: 'Freeze', outcome: 'done', failure: null } as const
  return { time: '2026-01-02T03:04:05Z', about, durationMs: 5, ...who }
}

test('AuditLog writes a line a call that only its owner reads, and begins a new file in time', async () => {
  using folder = temporaryFolder()
  const place = folder.join('state')
  using log = new AuditLog(place, 1000)
  for (let number = 1; number <= 20; number += 1) log.write(line(`call ${number}`))
  log.requireWritable()
  assert.equal(statSync(log.path).mode & 0o777, 0o600)
  assert.equal(statSync(place).mode & 0o777, 0o700)
  assert.ok(statSync(log.path).size <= 1000 && statSync(`${log.path}.1`).size <= 1000)
  const last = await lastCalls(place, 3)
  assert.deepEqual(
    last.map(({ about }) => about),
    ['call 18', 'call 19', 'call 20'],
  )
  writeFileSync(log.path, 'no line\n{"a":1}\n', { flag: 'a' })
  assert.equal((await lastCalls(place, 3)).length, 1)
  assert.deepEqual(await lastCalls(folder.join('none'), 3), [])
})

test('AuditLog refuses changes as long as it cannot be written, and loses nothing', () => {
  using folder = temporaryFolder()
  const place = folder.join('state')
  using log = new AuditLog(place, 300)
  log.write(line('first'))
  // Where the file before should be renamed to lies a folder.
  mkdirSync(`${log.path}.1`)
  writeFileSync(`${log.path}.1/full`, '')
  log.write(line('second'))
  log.write(line('third'))
  assert.throws(() => log.requireWritable(), {
    code: 'AGENT_REFUSED',
    message: /audit log in .* cannot be written/,
  })
  rmSync(`${log.path}.1`, { recursive: true })
  log.requireWritable()
  assert.match(
    readFileSync(`${log.path}.1`, 'utf8') + readFileSync(log.path, 'utf8'),
    /first[^]*second[^]*third/,
  )
})

test('AuditLog follows no link', () => {
  using folder = temporaryFolder()
  symlinkSync(folder.join('elsewhere'), folder.join('audit.log'))
  assert.throws(() => new AuditLog(folder.path), { code: 'AGENT_REFUSED' })
  assert.equal(existsSync(folder.join('elsewhere')), false)
})
