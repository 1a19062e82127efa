import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import type { TlsMaterial } from '../../src/rpc/tls-material.ts'

export type Handshake = {
  /** What each side made of the other: `ok`, or the code of its error. */
  readonly client: string
  readonly server: string
}

/** One real TLS connection over loopback: both sides demand a certificate, and check it against authority and list. */
export async function handshake(
  client: TlsMaterial,
  server: TlsMaterial,
  servername = 'localhost',
): Promise<Handshake> {
  const seen = Promise.withResolvers<string>()
  // A server that lets Node.js refuse does not learn why; so this one refuses by itself.
  const demand = { requestCert: true, rejectUnauthorized: false }
  const listener = createServer({ ...options(server), ...demand }, (socket) => {
    seen.resolve(socket.authorized ? 'ok' : String(socket.authorizationError))
    if (socket.authorized) socket.end('hello')
    else socket.destroy()
  })
  listener.on('tlsClientError', (error) => seen.resolve(codeOf(error)))
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  // A server that listens on TCP has an address of this kind.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { port } = listener.address() as AddressInfo
  const socket = connect({ ...options(client), host: '127.0.0.1', port, servername })
  try {
    const result = await answerOf(socket)
    // The client is through before the server has looked at it; when it gives up first, the server sees that.
    return { client: result, server: await seen.promise }
  } finally {
    socket.destroy()
    listener.close()
  }
}

function answerOf(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('error', (error) => resolve(codeOf(error)))
    socket.on('data', () => resolve('ok'))
    socket.on('close', () => resolve('closed'))
  })
}

function options(tls: TlsMaterial): object {
  return {
    key: tls.key,
    cert: tls.certificate,
    ca: tls.authority,
    ...(tls.revoked === null ? {} : { crl: tls.revoked }),
    minVersion: 'TLSv1.3',
  }
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
