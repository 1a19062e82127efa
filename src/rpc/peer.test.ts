import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { testAuthority } from '../../test/support/rpc-certificates.ts'
import { peerOf } from './peer.ts'

test('peerOf() gives name, role and serial number of a certificate', () => {
  const made = testAuthority().issue({ role: 'mover', name: 'backup, "host"/1' })
  const certificate = new X509Certificate(made.certificate)
  assert.deepEqual(peerOf(certificate), {
    name: 'backup, "host"/1',
    role: 'mover',
    serial: certificate.serialNumber,
  })
})

test('peerOf() refuses a certificate that names no role, and one whose name hides something', () => {
  const { authority } = testAuthority().issue({ role: 'mover' })
  assert.throws(() => peerOf(new X509Certificate(authority)), /"OU", expected one/)
  const made = testAuthority().issue({ role: 'mover', name: 'good\nOU=agent' })
  assert.throws(() => peerOf(new X509Certificate(made.certificate)), /its name is "good/)
})
