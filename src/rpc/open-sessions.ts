import type { X509Certificate } from 'node:crypto'
import type { Http2SecureServer, Http2Session, ServerHttp2Session } from 'node:http2'
import { TLSSocket } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { Code, type HandlerContext } from '@connectrpc/connect'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Clock } from '../domain/clock.ts'
import { CALL } from './call-record.ts'
import { endSession } from './end-session.ts'
import { refusal } from './error-to-wire.ts'
import { type Peer, peerOf } from './peer.ts'
import { plainSerial, revokedSerials } from './revoked-serials.ts'
import type { TlsMaterial } from './tls-material.ts'

/** A peer that does not answer a ping within this time is gone. */
const PING_INTERVAL_MS = 10_000
const PING_TIMEOUT_MS = 15_000
/** What a peer may send of all its streams before it is read. */
const SESSION_WINDOW_BYTES = 4 * 1024 * 1024
/** Calls get so long to end when the agent stops. */
const CLOSING_MS = 3000

/** The connections of a server: who is on the other side, whether they live, and whether they may go on. */
export class OpenSessions {
  readonly #sessions = new Map<ServerHttp2Session, TLSSocket | null>()
  readonly #clock: Clock
  #revoked: ReadonlySet<string>
  /** Whose session is made in the same moment. */
  #arriving: TLSSocket | null = null

  constructor(server: Http2SecureServer, parts: { readonly clock: Clock; readonly tls: TlsMaterial }) {
    this.#clock = parts.clock
    this.#revoked = revokedSerials(parts.tls)
    server.prependListener('secureConnection', (socket) => (this.#arriving = socket))
    server.on('session', (session) => this.#watch(session, this.#arriving))
    server.on('sessionError', (_error, session) => session.destroy())
  }

  /** Who called. Null for a certificate that names no agent and no mover; no such call is answered. */
  peerOf(session: Http2Session | undefined): Peer | null {
    const certificate = certificateOf(session)
    if (certificate === null) return null
    try {
      return peerOf(certificate)
    } catch (error) {
      if (error instanceof SyntaxError) return null
      throw error
    }
  }

  /** Lets a call begin. Throws for whoever is not, or no longer, a mover. */
  requireMover(context: HandlerContext): void {
    const call = context.values.get(CALL)
    if (call === null) throw new Error('Every call has a record')
    const finding = this.#objection(call.peer)
    if (finding === null) return
    const message = `Cannot answer "${call.peer.name}": ${finding}`
    call.failure = message
    throw refusal(new BackupError(ErrorCode.AgentRefused, message), Code.PermissionDenied)
  }

  #objection(peer: Peer): string | null {
    if (peer.role !== 'mover') {
      return `its certificate is of role "${peer.role}", required is role "mover"`
    }
    return this.#revoked.has(plainSerial(peer.serial)) ? 'its certificate is revoked' : null
  }

  /** True when the certificate of a connection, which may be open for long, has ended meanwhile. */
  hasExpired(session: Http2Session | undefined): boolean {
    const certificate = certificateOf(session)
    return certificate === null || certificate.validToDate.getTime() < this.#clock.now().getTime()
  }

  /** Ends the connections of the revoked at once, and lets all others make a new one for their next call. */
  replaceTls(tls: TlsMaterial): void {
    this.#revoked = revokedSerials(tls)
    for (const [session, socket] of this.#sessions) {
      const serial = certificateOf(session)?.serialNumber
      if (serial === undefined || this.#revoked.has(plainSerial(serial))) endSession(session, socket)
      else session.close()
    }
  }

  /** Ends all: at once those without calls, and the others when their calls have ended or `CLOSING_MS` have passed. */
  async close(): Promise<void> {
    for (const session of this.#sessions.keys()) session.close()
    const endsAt = performance.now() + CLOSING_MS
    while (this.#sessions.size > 0 && performance.now() < endsAt) await sleep(10)
    for (const [session, socket] of this.#sessions) endSession(session, socket)
  }

  #watch(session: ServerHttp2Session, socket: TLSSocket | null): void {
    this.#arriving = null
    this.#sessions.set(session, socket)
    session.setLocalWindowSize(SESSION_WINDOW_BYTES)
    // What it fails with is its peer's affair; it closes by itself.
    session.on('error', () => {})
    let answeredAt = performance.now()
    const pings = setInterval(() => {
      // Once one side has said that it closes, pings are not answered: what is under way then ends by itself.
      if (session.closed) return
      if (performance.now() - answeredAt > PING_INTERVAL_MS + PING_TIMEOUT_MS)
        return endSession(session, socket)
      if (session.destroyed) return
      session.ping((error) => {
        if (error === null) answeredAt = performance.now()
      })
    }, PING_INTERVAL_MS)
    pings.unref()
    session.once('close', () => {
      clearInterval(pings)
      this.#sessions.delete(session)
    })
  }
}

function certificateOf(session: Http2Session | undefined): X509Certificate | null {
  const socket: unknown = session?.socket
  if (session === undefined || session.destroyed) return null
  // The socket of a session is a proxy; the methods of TLS are reached through it.
  if (!(socket instanceof TLSSocket)) return null
  return socket.getPeerX509Certificate() ?? null
}
