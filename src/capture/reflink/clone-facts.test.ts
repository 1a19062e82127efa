import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeFacts, isOwnFacts, isUntouched, parseFacts, type CloneFacts } from './clone-facts.ts'
import type { CloneState } from '../../domain/file-clone.ts'

const facts: CloneFacts = {
  id: '0123456789abcdef0123456789abcdef',
  lineageKey: 'f'.repeat(32),
  source: '/images/vm 1 ü.raw',
  createdAtMs: 1_700_000_000_123,
  use: { kind: 'run', leaseEndsAtMs: 1_700_000_600_000, owner: 'host.1234' },
  inode: '18446744073709551615',
  generation: 4_294_967_295,
  sizeBytes: 2 ** 45,
  modifiedNs: '1700000000123456789',
}
const state: CloneState = {
  inode: facts.inode,
  generation: facts.generation,
  sizeBytes: facts.sizeBytes,
  modifiedNs: facts.modifiedNs,
  changedNs: '1700000000999999999',
  linkCount: 1,
}
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const plain: Record<string, unknown> = JSON.parse(new TextDecoder().decode(encodeFacts(facts)))

test('parseFacts() reads what encodeFacts() wrote', () => {
  assert.deepEqual(parseFacts(encodeFacts(facts)), facts)
  const base: CloneFacts = { ...facts, use: { kind: 'base', pointId: 'ab'.repeat(32) } }
  assert.deepEqual(parseFacts(encodeFacts(base)), base)
})

test('parseFacts() takes nothing that lacks a field, or has another than it can be', () => {
  for (const name of Object.keys(plain)) {
    assert.equal(parseFacts(bytesOf({ ...plain, [name]: undefined })), null, `without ${name}`)
    assert.equal(parseFacts(bytesOf({ ...plain, [name]: ['x'] })), null, `with another ${name}`)
  }
  const wrong = [
    { icecore: 2 },
    { id: 'A'.repeat(32) },
    { lineageKey: 'abc' },
    { source: '' },
    { createdAtMs: -1 },
    { use: { kind: 'base' } },
    { use: { kind: 'other', pointId: 'x' } },
    { generation: 1.5 },
    { sizeBytes: 2 ** 54 },
    { modifiedNs: '12x' },
  ]
  for (const change of wrong) assert.equal(parseFacts(bytesOf({ ...plain, ...change })), null)
  for (const text of ['', 'null', '[]', '{', '"icecore"']) {
    assert.equal(parseFacts(new TextEncoder().encode(text)), null)
  }
  assert.equal(parseFacts(Uint8Array.of(0xff, 0xfe)), null)
})

test('isOwnFacts() is true of the very file only, and isUntouched() until somebody wrote to it', () => {
  assert.equal(isOwnFacts(facts, facts.id, state), true)
  assert.equal(isOwnFacts(facts, 'f'.repeat(32), state), false)
  assert.equal(isOwnFacts(facts, facts.id, { ...state, inode: '7' }), false)
  assert.equal(isOwnFacts(facts, facts.id, { ...state, generation: 7 }), false)
  assert.equal(isUntouched(facts, state), true)
  assert.equal(isUntouched(facts, { ...state, changedNs: '7', linkCount: 0 }), true)
  assert.equal(isUntouched(facts, { ...state, sizeBytes: 7 }), false)
  assert.equal(isUntouched(facts, { ...state, modifiedNs: '7' }), false)
})
