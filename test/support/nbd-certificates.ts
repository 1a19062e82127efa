import { writeFileSync } from 'node:fs'

import { runTool } from './run-tool.ts'
import type { TemporaryFolder } from './temporary-folder.ts'

/** Certificates under the names that QEMU and nbdkit look for in a folder. */
export type NbdCertificates = { readonly ca: string; readonly certificate: string; readonly key: string }

/** An authority of its own; a server that is `localhost`, and a client. The names are those that GnuTLS programs expect. */
export function makeNbdCertificates(folder: TemporaryFolder): NbdCertificates {
  const ca = folder.join('ca-cert.pem')
  const caKey = folder.join('ca-key.pem')
  const authority = [
    '-subj',
    '/CN=authority',
    '-days',
    '2',
    '-nodes',
    '-addext',
    'keyUsage=critical,keyCertSign',
  ]
  runTool('openssl', ['req', '-x509', ...newKey(caKey), ...authority, '-out', ca])
  for (const [name, usage] of [
    ['server', 'serverAuth'],
    ['client', 'clientAuth'],
  ] as const) {
    const request = folder.join(`${name}.csr`)
    const extensions = folder.join(`${name}.ext`)
    writeFileSync(extensions, `subjectAltName=DNS:localhost\nextendedKeyUsage=${usage}\n`)
    const key = folder.join(`${name}-key.pem`)
    runTool('openssl', ['req', ...newKey(key), '-nodes', '-subj', '/CN=localhost', '-out', request])
    const signed = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions]
    runTool('openssl', ['x509', '-req', '-in', request, ...signed, '-out', folder.join(`${name}-cert.pem`)])
  }
  return { ca, certificate: folder.join('client-cert.pem'), key: folder.join('client-key.pem') }
}

function newKey(path: string): readonly string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', path]
}
