import { structSizeBytes, writeStruct } from '../bytes/struct.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Range } from '../domain/range.ts'
import { shakeHands, type Agreement, type Wanted } from './handshake.ts'
import { connectionFailed } from './nbd-error.ts'
import { NbdSocket } from './nbd-socket.ts'
import {
  readRequest,
  type PendingRequest,
  type ReadRequest,
  type ServerError,
  type StatusRequest,
} from './pending-request.ts'
import { ReplyParser } from './reply-parser.ts'
import type { StatusDescriptors } from './status-payload.ts'
import {
  Command,
  ERROR_NAMES,
  EXTENDED_REQUEST,
  EXTENDED_REQUEST_MAGIC,
  REQUEST,
  REQUEST_MAGIC,
} from './transmission-format.ts'

/** Requests under way on one connection; servers bound theirs too, and what waits here costs nothing. */
const REQUESTS_MAX = 64
/** A server that does not get to the end of its greetings is none. */
const HANDSHAKE_DEADLINE_MS = 30_000

/** One connection to an export, ready for requests; any number may be under way. Nothing is ever written. */
export class NbdConnection implements AsyncDisposable {
  readonly agreement: Agreement
  readonly #uri: string
  readonly #socket: NbdSocket
  readonly #pending = new Map<number, PendingRequest>()
  readonly #waiting: PendingRequest[] = []
  #cookie = 0
  #failure: Error | null = null

  private constructor(socket: NbdSocket, wanted: Wanted, agreement: Agreement) {
    this.#uri = wanted.to.uri
    this.#socket = socket
    this.agreement = agreement
    const parser = new ReplyParser({
      uri: this.#uri,
      intake: socket.intake,
      form: agreement.replyForm,
      contextIds: new Set(agreement.contexts.values()),
      pending: (cookie) => this.#pending.get(cookie),
      done: (cookie, request) => this.#done(cookie, request),
    })
    parser.start()
    socket.onFailure((error) => this.#fail(error))
  }

  /** Throws CONNECTION_FAILED, PROTOCOL_WRONG, SOURCE_MISSING, SOURCE_UNSUITABLE, or the reason of `signal`. */
  static async open(wanted: Wanted, signal: AbortSignal): Promise<NbdConnection> {
    signal.throwIfAborted()
    const deadline = AbortSignal.timeout(HANDSHAKE_DEADLINE_MS)
    const socket = NbdSocket.start(wanted.to)
    const stop = (): void => {
      const late = connectionFailed(wanted.to.uri, `it gave no answer for ${HANDSHAKE_DEADLINE_MS / 1000} s`)
      socket.fail(signal.aborted ? asError(signal.reason) : late)
    }
    const ended = AbortSignal.any([signal, deadline])
    ended.addEventListener('abort', stop)
    try {
      await socket.connected()
      return new NbdConnection(socket, wanted, await shakeHands(socket, wanted))
    } catch (error) {
      await socket[Symbol.asyncDispose]()
      throw error
    } finally {
      ended.removeEventListener('abort', stop)
    }
  }

  /** Requests that have no answer yet. */
  get loadCount(): number {
    return this.#pending.size + this.#waiting.length
  }

  /** Fills `target`, which fits one request. Throws SOURCE_READ_FAILED, CONNECTION_FAILED, PROTOCOL_WRONG. */
  async read(target: Uint8Array, offset: number): Promise<void> {
    await this.#ask(readRequest(target), { offset, length: target.byteLength })
  }

  /** What the server says of the beginning of `range`, by number of the context; at least of its first byte. */
  async blockStatus(range: Range): Promise<ReadonlyMap<number, StatusDescriptors>> {
    const request: StatusRequest = { command: Command.BlockStatus, answers: new Map() }
    await this.#ask(request, range)
    return request.answers
  }

  /** Takes leave of the server, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#failure === null) {
      this.#socket.write(this.#requestBytes({ command: Command.Disconnect, offset: 0, length: 0 }, 0))
    }
    await this.#socket[Symbol.asyncDispose]()
    this.#fail(connectionFailed(this.#uri, 'the connection was closed'))
  }

  async #ask(what: ReadRequest | StatusRequest, { offset, length }: Range): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ ...what, offset, length, resolve, reject, error: null, errorCount: 0 })
      this.#sendWaiting()
    })
  }

  #sendWaiting(): void {
    while (this.#pending.size < REQUESTS_MAX) {
      const request = this.#waiting.shift()
      if (request === undefined) return
      this.#cookie += 1
      this.#pending.set(this.#cookie, request)
      this.#socket.write(this.#requestBytes(request, this.#cookie))
    }
  }

  #requestBytes(
    {
      command,
      offset,
      length,
    }: { readonly command: Command; readonly offset: number; readonly length: number },
    cookie: number,
  ): Uint8Array {
    const isExtended = this.agreement.replyForm === 'extended'
    const layout = isExtended ? EXTENDED_REQUEST : REQUEST
    const bytes = new Uint8Array(structSizeBytes(layout))
    const magic = isExtended ? EXTENDED_REQUEST_MAGIC : REQUEST_MAGIC
    writeStruct(layout, bytes, { magic, flags: 0, command, cookie, offset, length })
    return bytes
  }

  #done(cookie: number, request: PendingRequest): void {
    this.#pending.delete(cookie)
    if (request.error === null) request.resolve()
    else request.reject(requestFailed(this.#uri, request, request.error))
    this.#sendWaiting()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    const requests = [...this.#pending.values(), ...this.#waiting.splice(0)]
    this.#pending.clear()
    for (const request of requests) request.reject(this.#failure)
  }
}

function requestFailed(uri: string, request: PendingRequest, { error, text }: ServerError): BackupError {
  const errno = ERROR_NAMES[error] ?? `error ${error}`
  const said = text === '' ? '' : ` ("${text}")`
  const { offset, length } = request
  const action = request.command === Command.Read ? 'read' : 'map'
  const message = `Cannot ${action} "${uri}" at offset ${offset}, length ${length}: the NBD server reports ${errno}${said}`
  return new BackupError(ErrorCode.SourceReadFailed, message, { data: { path: uri, offset, length, errno } })
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason })
}
