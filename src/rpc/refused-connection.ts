import type { Http2SecureServer } from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

type Told = (connection: { readonly address: string; readonly reason: string }) => void

/** Tells of each connection that ends before it has a peer, and closes it. */
export function tellRefused(server: Http2SecureServer, onRefused: Told): void {
  // When a connection is refused, its socket does not know any more from where it came.
  const addresses = new WeakMap<object, string>()
  server.on('connection', (socket: Socket) => {
    if (socket.remoteAddress !== undefined) addresses.set(socket, socket.remoteAddress)
  })
  server.on('tlsClientError', (error, socket) => {
    const below: unknown = Reflect.get(socket, '_parent')
    const known = typeof below === 'object' && below !== null ? addresses.get(below) : undefined
    onRefused({ address: socket.remoteAddress ?? known ?? 'unknown', reason: reasonOf(error, socket) })
    socket.destroy()
  })
}

/** What was found wrong with the certificate, else what OpenSSL says, without where in its sources it says so. */
function reasonOf(error: Error, socket: TLSSocket): string {
  const found: unknown = socket.authorizationError
  if (found instanceof Error) return found.message
  if (typeof found === 'string') return found
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
}
