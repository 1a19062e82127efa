import assert from 'node:assert/strict'
import test from 'node:test'
import * as v from 'valibot'
import { instantSchema } from './instant-schema.ts'

test('instantSchema accepts moments and refuses days that do not exist', () => {
  for (const text of ['2026-11-22T16:51:00.000Z', '2024-02-29T00:00:00+02:00']) {
    assert.ok(v.is(instantSchema, text), text)
  }
  for (const text of ['2026-02-30T00:00:00Z', '2025-02-29T00:00:00Z', '2026-11-22', 'now', 1, '']) {
    assert.ok(!v.is(instantSchema, text), String(text))
  }
})
