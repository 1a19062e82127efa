import type { Range } from '../domain/range.ts'
import type { Agreement, Wanted } from './handshake.ts'
import { NbdConnection } from './nbd-connection.ts'
import { protocolWrong } from './nbd-error.ts'
import type { StatusDescriptors } from './status-payload.ts'

/** A request is no longer, even when the server would take more: several are under way instead. */
const REQUEST_MAX_BYTES = 2 * 1024 * 1024

export type NbdClientOptions = Wanted & {
  /** How many connections at most, where the server says that all see the same. */
  readonly connectionsMax: number
}

/** An export, read through one connection or several; those after the first are opened when the others are busy. */
export class NbdClient implements AsyncDisposable {
  readonly agreement: Agreement
  readonly #options: NbdClientOptions
  readonly #connections: NbdConnection[]
  readonly #closing = new AbortController()
  #opening: Promise<void> | null = null
  #failure: Error | null = null

  private constructor(options: NbdClientOptions, first: NbdConnection) {
    this.#options = options
    this.#connections = [first]
    this.agreement = first.agreement
  }

  /** Throws CONNECTION_FAILED, PROTOCOL_WRONG, SOURCE_MISSING, SOURCE_UNSUITABLE, or the reason of `signal`. */
  static async open(options: NbdClientOptions, signal: AbortSignal): Promise<NbdClient> {
    return new NbdClient(options, await NbdConnection.open(options, signal))
  }

  /** Fills `target`; offset and length are multiples of the smallest block. */
  async read(target: Uint8Array, offset: number): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    const length = target.byteLength
    const { maximum } = this.agreement.blockSizes
    const pieceBytes = Math.min(maximum, REQUEST_MAX_BYTES)
    if (length <= pieceBytes) return await this.#idlest().read(target, offset)
    const reads: Promise<void>[] = []
    for (let at = 0; at < length; at += pieceBytes) {
      const piece = target.subarray(at, Math.min(length, at + pieceBytes))
      reads.push(this.#idlest().read(piece, offset + at))
    }
    // All are waited for: nobody may write into `target` once this has ended.
    const ends = await Promise.allSettled(reads)
    const failed = ends.find((end) => end.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async blockStatus(range: Range): Promise<ReadonlyMap<number, StatusDescriptors>> {
    return await this.#idlest().blockStatus(range)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the export was closed'))
    await this.#opening
    await Promise.all(this.#connections.map((connection) => connection[Symbol.asyncDispose]()))
  }

  /** The connection that has the least to do; one more is opened meanwhile when even that one is busy. */
  #idlest(): NbdConnection {
    const idlest = this.#connections.reduce((least, one) => (one.loadCount < least.loadCount ? one : least))
    if (idlest.loadCount > 0) this.#openAnother()
    return idlest
  }

  #openAnother(): void {
    const isEnough = this.#connections.length >= this.#options.connectionsMax
    if (isEnough || !this.agreement.canMultiConn || this.#opening !== null) return
    this.#opening = this.#addConnection()
  }

  /** The work can be done with the connections that there are: one that cannot be had is no failure. */
  async #addConnection(): Promise<void> {
    try {
      const connection = await NbdConnection.open(this.#options, this.#closing.signal)
      this.#connections.push(connection)
      if (!isSameExport(connection.agreement, this.agreement)) {
        await connection[Symbol.asyncDispose]()
        const finding = 'another connection shows another export under the same name'
        this.#failure = protocolWrong(this.#options.to.uri, finding)
        return
      }
      this.#opening = null
    } catch {
      // `#opening` stays: no other try.
    }
  }
}

function isSameExport(one: Agreement, other: Agreement): boolean {
  const sameContexts = [...one.contexts].every(([name, id]) => other.contexts.get(name) === id)
  return (
    one.sizeBytes === other.sizeBytes &&
    one.replyForm === other.replyForm &&
    one.blockSizes.minimum === other.blockSizes.minimum &&
    one.contexts.size === other.contexts.size &&
    sameContexts
  )
}
