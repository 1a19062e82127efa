import assert from 'node:assert/strict'
import test from 'node:test'
import { fakeTerminal } from '../../test/support/fake-terminal.ts'
import { askEnrolmentToken } from './enrolment-token-input.ts'

const never = new AbortController().signal

test('askEnrolmentToken() does not show what is typed', async () => {
  const { terminal, printed, input, rawModes } = fakeTerminal(true)
  const asked = askEnrolmentToken({ file: undefined, notice: () => {} }, terminal, never)
  input.write('a-secret-token\r')
  assert.equal(await asked, 'a-secret-token')
  assert.deepEqual(rawModes, [true, false])
  assert.equal(printed.messages, 'Token: \n')
  assert.equal(printed.output, '')
})

test('askEnrolmentToken() wants a file where nobody can type, and says what is wrong with it', async () => {
  const { terminal } = fakeTerminal(false)
  const from = { file: undefined, notice: () => {} }
  await assert.rejects(askEnrolmentToken(from, terminal, never), { code: 'USAGE_WRONG' })
  await assert.rejects(askEnrolmentToken({ ...from, file: '/nowhere/token' }, terminal, never), {
    code: 'USAGE_WRONG',
    message: 'Cannot read the token from --token-file "/nowhere/token": there is no such file',
  })
})
