import assert from 'node:assert/strict'
import { test } from 'node:test'
import { debugfsRequests, planChanges } from './plan-changes.ts'

const chosen = Array.from({ length: 400 }, (_, at) => ({
  from: `/usr/share/f${at}`,
  to: `share/f${at}`,
  sizeBytes: 1000 + at,
}))

test('planChanges() gives every file one part to play', () => {
  const { first, added, rewritten, removed } = planChanges(chosen)
  const later = [...added, ...rewritten].map((file) => file.from)
  assert.equal(new Set([...first.map((file) => file.from), ...later]).size, chosen.length)
  assert.equal(first.length + later.length, chosen.length)
  const changedPaths = [...rewritten, ...removed].map((file) => file.to)
  assert.equal(new Set(changedPaths).size, changedPaths.length)
  const known = new Set(first.map((file) => file.to))
  assert.ok(changedPaths.every((path) => known.has(path)))
  assert.ok(added.length > 5 && rewritten.length > 5 && removed.length > 5)
})

test('planChanges() brings in about seven percent of the bytes later', () => {
  const { added, rewritten } = planChanges(chosen)
  const share = sum([...added, ...rewritten]) / sum(chosen)
  assert.ok(share > 0.06 && share < 0.08, `${share}`)
})

test('planChanges() makes do with very few files', () => {
  for (const count of [0, 1, 2, 3]) assert.doesNotThrow(() => planChanges(chosen.slice(0, count)))
})

test('debugfsRequests() removes before it writes, and writes where it stands', () => {
  const file = { from: '/usr/share/new', to: 'share/a/old', sizeBytes: 1 }
  const changes = { first: [], added: [file], rewritten: [file], removed: [{ ...file, to: 'bin/gone' }] }
  assert.deepEqual(debugfsRequests(changes), [
    'rm /bin/gone',
    'rm /share/a/old',
    'cd /share/a',
    'write /usr/share/new old',
    'cd /',
    'mkdir new',
    'cd /new',
    'write /usr/share/new 0-old',
  ])
})

function sum(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((total, file) => total + file.sizeBytes, 0)
}
