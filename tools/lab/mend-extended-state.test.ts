import assert from 'node:assert/strict'
import { test } from 'node:test'

import { mendExtendedState } from './mend-extended-state.ts'

const CODE = '488d4df048c745f8880a0000bf0542000031c0'

test('mendExtendedState() changes the length alone, where the code is there once', () => {
  const program = Buffer.from(`90${CODE}90`, 'hex')
  assert.equal(mendExtendedState(program), true)
  assert.equal(program.toString('hex'), '90488d4df048c745f800000100bf0542000031c090')
})

test('mendExtendedState() leaves alone what it does not know', () => {
  for (const hex of ['', '90', `${CODE}${CODE}`]) {
    const program = Buffer.from(hex, 'hex')
    assert.equal(mendExtendedState(program), false)
    assert.equal(program.toString('hex'), hex)
  }
})
