import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditLine } from './audit-log.ts'
import { CallNotes } from './call-notes.ts'

function line(method: string, about: string, outcome: AuditLine['outcome'] = 'done'): AuditLine {
  const failure = outcome === 'done' ? null : 'it failed'
  return {
    time: '2026-01-02T03:04:05Z',
    method,
    peer: 'mover',
    serial: '0A',
    about,
    outcome,
    failure,
    durationMs: 2,
  }
}

test('CallNotes writes frequent calls that are alike once, with their number, and all others at once', () => {
  const written: AuditLine[] = []
  {
    using notes = new CallNotes({ write: (one) => written.push(one) })
    for (let count = 0; count < 1000; count += 1) notes.note(line('ReadExtents', `image1 ${count} ranges`))
    notes.note(line('ReadExtents', 'image2 1 ranges'))
    notes.note(line('ReadExtents', 'image1 1 ranges', 'failed'))
    notes.note(line('Freeze', '/dev/vg0/home'))
    notes.note(line('Freeze', '/dev/vg0/home'))
  }
  const told = written.map(({ method, about, outcome, calls = 1 }) => [method, about, outcome, calls])
  assert.deepEqual(told, [
    ['ReadExtents', 'image1 0 ranges', 'done', 1],
    ['ReadExtents', 'image2 1 ranges', 'done', 1],
    ['ReadExtents', 'image1 1 ranges', 'failed', 1],
    ['Freeze', '/dev/vg0/home', 'done', 1],
    ['Freeze', '/dev/vg0/home', 'done', 1],
    ['ReadExtents', 'image1 999 ranges', 'done', 999],
  ])
  assert.equal(written.at(-1)?.durationMs, 1998)
})
