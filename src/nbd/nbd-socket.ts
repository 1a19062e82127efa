import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ByteIntake } from './byte-intake.ts'
import { causeText, connectionFailed, protocolWrong } from './nbd-error.ts'
import type { NbdExport } from './nbd-uri.ts'

/** Certificates and key, in PEM. */
export type NbdTls = {
  /** Who may have signed the server's certificate; null: those that Node.js knows. */
  readonly ca: string | null
  /** What this client shows of itself, where the server asks for it. */
  readonly certificate: { readonly chain: string; readonly key: string } | null
}

/** One read of a socket: more than a socket holds, so that one call empties it. */
const RECEIVE_BYTES = 512 * 1024
const KEEP_ALIVE_MS = 30_000

/** A connection to a server; what it says goes to `intake`. */
export class NbdSocket implements AsyncDisposable {
  readonly intake = new ByteIntake()
  readonly #uri: string
  #socket: Socket
  #failure: Error | null = null
  #onFailure: ((error: Error) => void) | null = null

  private constructor(to: NbdExport, socket: Socket) {
    this.#uri = to.uri
    this.#socket = socket
    this.#listen(socket)
    // The server speaks in clear text until TLS begins.
    if (to.isEncrypted) socket.on('data', (bytes: Uint8Array) => this.#take(bytes))
  }

  /** Begins to connect. */
  static start(to: NbdExport): NbdSocket {
    const { endpoint } = to
    const where =
      endpoint.kind === 'tcp' ? { host: endpoint.host, port: endpoint.port } : { path: endpoint.path }
    const shared = Buffer.allocUnsafeSlow(to.isEncrypted ? 1 : RECEIVE_BYTES)
    let room = (): Uint8Array => shared
    let receive: ((bytes: Uint8Array) => void) | null = null
    // Most of what is read lands where it is wanted, and the rest in one piece of memory that is used again and again;
    // TLS reads the socket itself.
    const onread = {
      buffer: () => room(),
      callback: (count: number, buffer: Uint8Array) => {
        receive?.(buffer.subarray(0, count))
        return true
      },
    }
    const socket = connect(to.isEncrypted ? where : { ...where, onread })
    const nbd = new NbdSocket(to, socket)
    receive = (bytes) => nbd.#take(bytes)
    // Memory that was given back after a failure is not touched any more.
    room = () => (nbd.#failure === null ? nbd.intake.room : null) ?? shared
    return nbd
  }

  /** Waits for the connection. Throws CONNECTION_FAILED. */
  async connected(): Promise<void> {
    await this.#until('connect')
    this.#socket.setNoDelay(true)
    this.#socket.setKeepAlive(true, KEEP_ALIVE_MS)
  }

  /** Goes on in TLS, whose handshake the server expects now. Throws CONNECTION_FAILED. */
  async startTls(to: NbdExport, tls: NbdTls): Promise<void> {
    const plain = this.#socket
    plain.removeAllListeners('data')
    const socket = connectTls({
      socket: plain,
      host: to.tlsHostname,
      // A server name is a name: an address is compared with the certificate all the same.
      ...(isIP(to.tlsHostname) === 0 ? { servername: to.tlsHostname } : {}),
      minVersion: 'TLSv1.2',
      ...(tls.ca === null ? {} : { ca: tls.ca }),
      ...(tls.certificate === null ? {} : { cert: tls.certificate.chain, key: tls.certificate.key }),
    })
    this.#socket = socket
    this.#listen(socket)
    socket.on('data', (bytes: Uint8Array) => this.#take(bytes))
    await this.#until('secureConnect')
  }

  /** Calls once when the connection is of no use any more, for whatever reason. */
  onFailure(listener: (error: Error) => void): void {
    this.#onFailure = listener
    if (this.#failure !== null) listener(this.#failure)
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Gives the connection up; whoever waits for it hears why. */
  fail(error: Error): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#socket.destroy()
    this.intake.fail(error)
    this.#onFailure?.(error)
  }

  /** Sends what is still to be sent, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const socket = this.#socket
    this.#failure ??= connectionFailed(this.#uri, 'the connection was closed')
    const { promise, resolve } = Promise.withResolvers<void>()
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
    socket.destroySoon()
    await promise
  }

  #take(bytes: Uint8Array): void {
    if (this.#failure !== null) return
    try {
      this.intake.push(bytes)
    } catch (error) {
      this.fail(error instanceof RangeError ? protocolWrong(this.#uri, error.message) : asError(error))
    }
  }

  #listen(socket: Socket): void {
    socket.on('error', (cause) => this.fail(connectionFailed(this.#uri, causeText(cause), cause)))
    socket.on('close', () => this.fail(connectionFailed(this.#uri, 'the server closed the connection')))
  }

  async #until(event: 'connect' | 'secureConnect'): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.onFailure(reject)
      this.#socket.once(event, resolve)
    })
    this.#onFailure = null
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause), { cause })
}
