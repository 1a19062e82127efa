import assert from 'node:assert/strict'
import { test } from 'node:test'

import { redactSecrets } from './redact-secrets.ts'

test('redactSecrets() hides what looks like a secret and leaves the rest', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['connected as admin', 'connected as admin'],
    ['password=abc next', 'password=*** next'],
    ['Password: "a b", user: x', 'Password: ***, user: x'],
    ['{"token":"t0","name":"n"}', '{"token":***,"name":"n"}'],
    ['mariadb --password=x --user=y', 'mariadb --password=*** --user=y'],
    ['mysql://root:geheim@db:3306/a', 'mysql://root:***@db:3306/a'],
    ['https://host:8080/path@x', 'https://host:8080/path@x'],
    ['the passwords are wrong', 'the passwords are wrong'],
  ]
  for (const [text, expected] of cases) assert.equal(redactSecrets(text, {}), expected)
})

test('redactSecrets() hides the values of secret variables, the longer ones first', () => {
  const environment = {
    PGPASSWORD: 'elephant',
    DB_TOKEN: 'elephant-2',
    HOME: '/root',
    MY_SECRET: 'ab',
    NO_TOKEN: undefined,
  }
  assert.equal(redactSecrets('elephant-2 elephant /root ab', environment), '*** *** /root ab')
})
