import assert from 'node:assert/strict'
import test from 'node:test'
import { canonicalHost } from './host-name.ts'

test('canonicalHost() gives one spelling of each host', () => {
  const spellings = [
    ['DB1.Example.COM', 'db1.example.com'],
    ['192.0.2.7', '192.0.2.7'],
    ['2001:0DB8:0:0::0001', '2001:db8::1'],
    ['[::1]', '::1'],
    ['::ffff:192.0.2.7', '::ffff:c000:207'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['db_1', 'db_1'],
  ] as const
  for (const [written, canonical] of spellings) {
    assert.equal(canonicalHost(written), canonical)
    assert.equal(canonicalHost(canonical), canonical)
  }
})

test('canonicalHost() takes no path, no pattern, nothing that a certificate would read as more', () => {
  const wrong = [
    '',
    '.',
    '..',
    'a..b',
    '*.example.com',
    'a/b',
    '../../etc',
    'a b',
    'a\nb',
    '-a',
    'a-',
    '1.2.3',
  ]
  const addresses = ['256.1.1.1', '[::1', 'fe80::1%eth0', '1234', 'DNS:a, DNS:b', 'a,OU=mover', 'a\0b']
  for (const text of [...wrong, ...addresses, 'x'.repeat(65), `${'x.'.repeat(40)}y`]) {
    assert.throws(() => canonicalHost(text), { code: 'USAGE_WRONG' }, JSON.stringify(text))
  }
})
