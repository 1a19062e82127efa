import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupOf } from './active-groups.ts'

test('groupOf() undoes what LVM does to hyphens', () => {
  assert.equal(groupOf('vg0-home'), 'vg0')
  assert.equal(groupOf('vg--a-home'), 'vg-a')
  assert.equal(groupOf('vg--a--b-home--x-real'), 'vg-a-b')
})
