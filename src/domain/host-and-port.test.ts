import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostAndPort, hostAndPortText } from './host-and-port.ts'

test('hostAndPort() reads what hostAndPortText() writes', () => {
  const parse = hostAndPort(8770)
  for (const text of ['db1', 'db1.example.com:99', '192.0.2.7', '[2001:db8::1]', '[::1]:99']) {
    assert.equal(hostAndPortText(parse(text), 8770), text)
  }
  assert.deepEqual(parse('[::1]'), { host: '::1', port: 8770 })
  assert.deepEqual(hostAndPort(8770, 0)('127.0.0.1:0'), { host: '127.0.0.1', port: 0 })
})

test('hostAndPort() refuses what is neither', () => {
  const parse = hostAndPort(8770)
  for (const text of ['', ':99', '::1', 'a b', 'a:', 'a:0', 'a:65536', 'a:1:2', 'me@db1', 'https://db1']) {
    assert.throws(() => parse(text), SyntaxError, text)
  }
})
