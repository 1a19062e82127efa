import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isNbdUri, nbdExportTitle, parseNbdUri } from './nbd-uri.ts'

const tcp = (host: string, port = 10_809): object => ({ kind: 'tcp', host, port })

test('parseNbdUri() reads every form', () => {
  const cases: readonly [string, object, string, boolean, string][] = [
    ['nbd://example.com', tcp('example.com'), '', false, 'example.com'],
    ['nbd://example.com/', tcp('example.com'), '', false, 'example.com'],
    ['nbd://example.com:1234/disk', tcp('example.com', 1234), 'disk', false, 'example.com'],
    ['nbd://example.com//disk', tcp('example.com'), '/disk', false, 'example.com'],
    ['nbd://example.com/a/../b', tcp('example.com'), 'a/../b', false, 'example.com'],
    ['nbd://h/hello%20world', tcp('h'), 'hello world', false, 'h'],
    ['NBDS://[2001:db8::1]:99/x', tcp('2001:db8::1', 99), 'x', true, '2001:db8::1'],
    ['nbds://h/x?tls-hostname=name', tcp('h'), 'x', true, 'name'],
    ['nbd+unix:///?socket=/run/a.sock', { kind: 'unix', path: '/run/a.sock' }, '', false, 'localhost'],
    ['nbd+unix:///d?socket=%00/abstract', { kind: 'unix', path: '\0/abstract' }, 'd', false, 'localhost'],
    ['nbds+unix:///d?socket=s&tls-type=x509', { kind: 'unix', path: 's' }, 'd', true, 'localhost'],
  ]
  for (const [uri, endpoint, exportName, isEncrypted, tlsHostname] of cases) {
    assert.deepEqual(parseNbdUri(uri), { uri, endpoint, exportName, isEncrypted, tlsHostname })
  }
})

test('parseNbdUri() refuses what it cannot keep to', () => {
  const wrong = [
    'http://h/x',
    'nbd:h',
    'nbd://',
    'nbd://h:0/x',
    'nbd://h:65536/x',
    'nbd://h:1:2/x',
    'nbd://[::1/x',
    'nbd://user@h/x',
    'nbd://h/x#y',
    'nbd://h/%00',
    'nbd://h/%ff',
    'nbd://h/%4',
    'nbd://h/a b',
    'nbd://h/x?socket=/a',
    'nbd://h/x?what=1',
    'nbd://h/x?tls-hostname=y',
    'nbds://h/x?tls-verify-peer=0',
    'nbds://h/x?tls-type=psk',
    'nbds://h/x?tls-hostname=a&tls-hostname=b',
    'nbd+unix:///x',
    'nbd+unix:///x?socket=',
    'nbd+unix://h/x?socket=/a',
    `nbd+unix:///x?socket=${'a'.repeat(108)}`,
    `nbd://h/${'a'.repeat(4097)}`,
    `nbd://${'h'.repeat(256)}/x`,
    `nbd://h/${'%61'.repeat(6000)}`,
    'nbd+vsock:///x',
  ]
  for (const uri of wrong) assert.throws(() => parseNbdUri(uri), SyntaxError, uri)
})

test('isNbdUri() knows a URI from a path', () => {
  assert.deepEqual(['nbd://h', 'nbds+unix:///', 'nbd+vsock://', 'NBD://h'].map(isNbdUri), [
    true,
    true,
    true,
    true,
  ])
  assert.deepEqual(['/dev/nbd0', 'nbd', 'nbd:/x', './nbd://h'].map(isNbdUri), [false, false, false, false])
})

const title = (uri: string): string => nbdExportTitle(parseNbdUri(uri))

test('nbdExportTitle() names an export the same however it is written', () => {
  assert.equal(title('nbd://h/vm1'), 'vm1 at h:10809')
  assert.equal(title('nbds://h:10809/vm%31'), 'vm1 at h:10809')
  assert.equal(title('nbd+unix:///?socket=%00x'), '@x')
})
