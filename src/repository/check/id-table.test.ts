import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { IdTable } from './id-table.ts'

const idOf = (value: number): Uint8Array => createHash('sha256').update(String(value)).digest()

function valuesOf(table: IdTable, id: Uint8Array): number[] {
  const values: number[] = []
  for (let slot = table.find(id); slot >= 0; slot = table.find(id, slot)) values.push(table.valueAt(slot))
  return values
}

test('IdTable finds every number of every id, also when it outgrows what it was made for', () => {
  for (const capacity of [0, 5000, 20_000]) {
    const table = new IdTable(capacity)
    for (let value = 0; value < 10_000; value += 1) table.add(idOf(value), value)
    for (let value = 0; value < 10_000; value += 7) table.add(idOf(value), -value - 1)
    assert.equal(table.size, 10_000 + 1429)
    for (let value = 0; value < 10_000; value += 1) {
      const expected = value % 7 === 0 ? [-value - 1, value] : [value]
      assert.deepEqual(
        valuesOf(table, idOf(value)).toSorted((a, b) => a - b),
        expected,
      )
    }
    for (let value = 10_000; value < 12_000; value += 1) assert.equal(table.find(idOf(value)), -1)
  }
})

test('IdTable keeps a pair once', () => {
  const table = new IdTable()
  table.add(idOf(1), 5)
  table.add(idOf(1), 5)
  assert.equal(table.size, 1)
  assert.equal(table.has(idOf(1), 5), true)
  assert.equal(table.has(idOf(1), 6), false)
})

test('IdTable tells ids apart whose first words are zero', () => {
  const zero = new Uint8Array(32)
  const other = new Uint8Array(32).fill(1, 4, 5)
  const table = new IdTable()
  table.add(zero, 1)
  assert.deepEqual([valuesOf(table, zero), valuesOf(table, other)], [[1], []])
})
