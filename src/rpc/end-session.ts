import type { Http2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'

/** A session that is destroyed waits until what it is writing has gone out: on a network that is cut, for a quarter of an hour. */
export function endSession(session: Http2Session, socket: TLSSocket | null, error?: Error): void {
  session.destroy(error)
  socket?.destroy()
}
