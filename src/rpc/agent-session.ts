import { X509Certificate } from 'node:crypto'
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2'
import { isIP } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Http2SessionManager } from '@connectrpc/connect-node'
import { BackupError } from '../domain/backup-error.ts'
import { endSession } from './end-session.ts'
import { connectionFailed } from './error-from-wire.ts'
import type { Outage } from './outage.ts'
import type { Patience } from './patience.ts'
import { peerOf } from './peer.ts'
import type { TlsMaterial, TlsSource } from './tls-material.ts'
import { tlsOptions } from './tls-options.ts'

export type AgentAddress = { readonly host: string; readonly port: number }

type SessionParts = {
  readonly address: AgentAddress
  readonly tls: TlsSource
  readonly patience: Patience
  readonly outage: Outage
}

/** What the agent may send of a stream, and of all, before it is read: enough for a fast network that is far away. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024
const SESSION_WINDOW_BYTES = 16 * 1024 * 1024
const HEADER_BYTES_MAX = 64 * 1024
const SESSION_MEMORY_MB = 32

/** Node.js looks at certificates behind the handshake, and says nothing when it refuses one. */
const HUNG_UP =
  'it closed the connection without a word; perhaps our certificate is revoked, has ended, is of another authority, or clocks differ'

/**
 * The connection to an agent: made when it is first needed, made again when it was lost, given up when the other side does
 * not answer. Connect's transport asks it for streams.
 */
export class AgentSession implements AsyncDisposable {
  readonly authority: string
  readonly #name: string
  readonly #parts: SessionParts
  #session: Promise<ClientHttp2Session> | null = null
  /** The one that `#session` gives. */
  #current: ClientHttp2Session | null = null
  readonly #open = new Map<ClientHttp2Session, TLSSocket>()
  /** Why the last connection ended. */
  #failure: Error | null = null
  #isClosed = false
  readonly #arrivals: (() => void)[] = []

  constructor(parts: SessionParts) {
    const { host, port } = parts.address
    this.#parts = parts
    this.#name = `${host}:${port}`
    this.authority = new URL(`https://${isIP(host) === 6 ? `[${host}]` : host}:${port}`).origin
  }

  /** What the connection failed with since the call began that failed too: it says more than the end of a stream. */
  get failure(): Error | null {
    return this.#failure
  }

  /** When the certificate ends that the agent showed; it is connected to for that. */
  async peerEndsAtMs(): Promise<number> {
    const session = await this.#connected()
    const certificate = this.#open.get(session)?.getPeerX509Certificate()
    if (certificate === undefined) throw this.#ended(true)
    return certificate.validToDate.getTime()
  }

  async request(
    ...[method, path, headers, options]: Parameters<Http2SessionManager['request']>
  ): Promise<ClientHttp2Stream> {
    for (let attempt = 1; ; attempt += 1) {
      const session = await this.#connected()
      try {
        const stream = session.request({ ...headers, ':method': method, ':path': path }, options)
        this.#tellWhenArrived(session, stream)
        return stream
      } catch (error) {
        // It ended between two steps; a new one may do.
        if (attempt > 3 || !(session.closed || session.destroyed)) throw error
        this.#session = null
      }
    }
  }

  /** Resolves when what is asked next is with the other side; never, when it does not come there. */
  async nextArrival(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#arrivals.push(resolve)
    await promise
  }

  /** Pings do what this is for. */
  notifyResponseByteRead(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    const ends = [...this.#open].map(([session, socket]) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      session.once('close', resolve)
      endSession(session, socket)
      return promise
    })
    await Promise.all(ends)
    await this.#session?.catch(() => null)
  }

  #connected(): Promise<ClientHttp2Session> {
    if (this.#isClosed) return Promise.reject(this.#closed())
    if (this.#session === null) {
      const connecting = this.#connect()
      this.#session = connecting
      connecting.catch(() => {
        if (this.#session === connecting) this.#session = null
      })
    }
    return this.#session
  }

  #closed(): Error {
    const { code, message, data } = connectionFailed(this.#name, 'the connection was closed')
    return new BackupError(code, message, { data: { ...data, isGivenUp: true } })
  }

  #ended(isMade: boolean): Error {
    if (this.#isClosed) return this.#closed()
    return connectionFailed(this.#name, isMade ? 'the connection ended in the middle of a call' : HUNG_UP)
  }

  async #connect(): Promise<ClientHttp2Session> {
    this.#failure = null
    const tls = await this.#parts.tls()
    if (this.#isClosed) throw this.#closed()
    const socket = this.#socket(tls)
    const session = connectHttp2(this.authority, {
      createConnection: () => socket,
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxHeaderListSize: HEADER_BYTES_MAX,
      },
    })
    this.#open.set(session, socket)
    this.#current = session
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const connectMs = Math.ceil(this.#parts.outage.connectMs)
    const timer = setTimeout(() => {
      endSession(session, socket, connectionFailed(this.#name, `it does not answer within ${connectMs} ms`))
    }, connectMs)
    // The first that the agent says, and only when it has taken our certificate.
    session.once('remoteSettings', () => resolve())
    let isMade = false
    let isShaken = false
    socket.once('secureConnect', () => (isShaken = true))
    // Who refuses our certificate after the handshake may do so while we have more to say.
    const failed = (error: unknown): Error =>
      isShaken && !isMade && isReset(error)
        ? connectionFailed(this.#name, HUNG_UP, error)
        : failureOf(error, this.#name)
    session.on('error', (error) => {
      this.#failure = failed(error)
      reject(this.#failure)
    })
    // A session does not say that its socket failed, and TLS 1.3 says only behind the handshake that a certificate is refused.
    socket.once('error', (error) => session.destroy(failed(error)))
    socket.once('close', () => session.destroy())
    session.once('goaway', () => this.#forget(session))
    session.once('close', () => {
      this.#open.delete(session)
      // Without a word it may look as if a message had been left unfinished.
      if (this.#current === session) this.#failure ??= this.#ended(isMade)
      this.#forget(session)
      reject(this.#failure ?? this.#ended(isMade))
    })
    try {
      await promise
    } catch (error) {
      this.#forget(session)
      throw error
    } finally {
      clearTimeout(timer)
    }
    isMade = true
    session.setLocalWindowSize(SESSION_WINDOW_BYTES)
    session.once('close', () => {
      if (this.#failure !== null) this.#parts.outage.connectionLost()
    })
    this.#keepAlive(session, socket)
    return session
  }

  #socket(tls: TlsMaterial): TLSSocket {
    const { host, port } = this.#parts.address
    return connectTls({
      ...tlsOptions(tls),
      host,
      port,
      ALPNProtocols: ['h2'],
      // A server name is a name: an address is compared with the certificate all the same.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      checkServerIdentity: (_name, shown) => objectionTo(new X509Certificate(shown.raw), host),
    })
  }

  #keepAlive(session: ClientHttp2Session, socket: TLSSocket): void {
    const { pingIntervalMs, pingTimeoutMs } = this.#parts.patience
    let unanswered: NodeJS.Timeout | undefined
    const timer = setInterval(() => {
      if (session.closed || session.destroyed || unanswered !== undefined) return
      unanswered = setTimeout(() => {
        // Once one side has said that it closes, pings are not answered: what is under way then ends by itself.
        if (!session.closed)
          endSession(
            session,
            socket,
            connectionFailed(this.#name, `it has not answered for ${pingTimeoutMs} ms`),
          )
      }, pingTimeoutMs)
      session.ping((error) => {
        if (error !== null) return
        clearTimeout(unanswered)
        unanswered = undefined
      })
    }, pingIntervalMs)
    session.once('close', () => {
      clearInterval(timer)
      clearTimeout(unanswered)
    })
  }

  /** A stream is finished before its last bytes are out; a ping goes behind them. */
  #tellWhenArrived(session: ClientHttp2Session, stream: ClientHttp2Stream): void {
    const arrivals = this.#arrivals.splice(0)
    if (arrivals.length === 0) return
    stream.once('finish', () => {
      if (session.closed || session.destroyed) return
      session.ping((error) => {
        if (error === null) for (const arrived of arrivals) arrived()
      })
    })
  }

  /** The next call makes a new one. */
  #forget(session: ClientHttp2Session): void {
    if (this.#current !== session) return
    this.#current = null
    this.#session = null
  }
}

/** Why a certificate is not that of the agent on `host`; the authority's signature, its time and the list were looked at before. */
function objectionTo(certificate: X509Certificate, host: string): Error | undefined {
  const isFor =
    isIP(host) === 0 ? certificate.checkHost(host, { subject: 'never' }) : certificate.checkIP(host)
  if (isFor === undefined) {
    const names = certificate.subjectAltName ?? 'nobody'
    return new Error(`its certificate is for ${JSON.stringify(names.slice(0, 500))}, expected "${host}"`)
  }
  try {
    const { role } = peerOf(certificate)
    return role === 'agent' ? undefined : new Error(`its certificate is of role "${role}", expected "agent"`)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function failureOf(error: unknown, name: string): Error {
  return error instanceof Error && error.name === 'BackupError'
    ? error
    : connectionFailed(name, connectionText(error), error)
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
}

/** What TLS alerts of the other side mean; all else in the system's words. */
const ALERTS: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it asks for a certificate, and was shown none',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not know the authority that signed our certificate',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: 'it says that our certificate is revoked',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'it says that our certificate has expired, or that clocks differ',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it does not take our certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate was signed by another authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate was signed by another authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate was signed by another authority',
  // Of our own authority the list of revoked ones is here.
  UNABLE_TO_GET_CRL: 'its certificate was signed by another authority',
  CERT_HAS_EXPIRED: 'its certificate has expired, or clocks differ',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet, or clocks differ',
  CERT_REVOKED: 'its certificate is revoked',
  CRL_HAS_EXPIRED: 'our list of revoked certificates has expired',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'there is no such host',
  EHOSTUNREACH: 'the network knows no way there',
  ENETUNREACH: 'the network knows no way there',
  ETIMEDOUT: 'it did not answer in time',
}

export function connectionText(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : null
  const words = typeof code === 'string' ? ALERTS[code] : undefined
  if (words !== undefined) return `${words} (${String(code)})`
  return error instanceof Error ? error.message : String(error)
}
