import { structSizeBytes, type Layout, type StructValues } from '../bytes/struct.ts'
import type { ByteIntake } from './byte-intake.ts'
import type { ReplyForm } from './handshake.ts'
import { protocolWrong, serverText } from './nbd-error.ts'
import { readFields } from './option-haggling.ts'
import { placeIn, type PendingRequest } from './pending-request.ts'
import { COMPACT_DESCRIPTOR_BYTES, descriptorBytesOf, EXTENDED_DESCRIPTOR_BYTES } from './status-payload.ts'
import {
  ChunkType,
  Command,
  DATA_HEAD,
  DONE,
  ERROR_HEAD,
  EXTENDED_REPLY,
  EXTENDED_REPLY_MAGIC,
  FIRST_ERROR_CHUNK,
  HOLE,
  SIMPLE_REPLY,
  SIMPLE_REPLY_MAGIC,
  STRUCTURED_REPLY,
  STRUCTURED_REPLY_MAGIC,
} from './transmission-format.ts'

/** Errors that one reply may carry: one for each bad place of a large read. */
const ERRORS_MAX = 64
/** An error has a text for people. */
const ERROR_PAYLOAD_MAX_BYTES = 8192

export type ReplyParserOptions = {
  readonly uri: string
  readonly intake: ByteIntake
  readonly form: ReplyForm
  readonly contextIds: ReadonlySet<number>
  /** The request that a cookie stands for; undefined: none is under way. */
  readonly pending: (cookie: number) => PendingRequest | undefined
  /** The reply of this request is complete. */
  readonly done: (cookie: number, request: PendingRequest) => void
}

type Chunk = {
  readonly cookie: number
  readonly request: PendingRequest
  readonly type: number
  readonly length: number
  readonly isLast: boolean
}

/** Walks the stream of replies; data goes from the socket to where the request wants it. */
export class ReplyParser {
  readonly #options: ReplyParserOptions
  /** Heads of replies and chunks, none longer. */
  readonly #head = new Uint8Array(64)

  constructor(options: ReplyParserOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#options.form === 'extended') {
      this.#fields(EXTENDED_REPLY, (reply) => {
        if (reply.magic !== EXTENDED_REPLY_MAGIC) throw this.#wrong('a reply has another magic')
        const chunk = this.#chunkOf(reply)
        if (reply.offset !== chunk.request.offset) throw this.#wrong('a reply is for another offset')
        this.#takeChunk(chunk)
      })
      return
    }
    // All kinds begin alike: magic, four bytes, cookie.
    this.#fields(SIMPLE_REPLY, (reply) => {
      if (reply.magic === SIMPLE_REPLY_MAGIC) this.#takeSimple(reply)
      else if (reply.magic === STRUCTURED_REPLY_MAGIC && this.#options.form === 'structured')
        this.#takeStructured()
      else throw this.#wrong('a reply has another magic')
    })
  }

  #takeSimple({ cookie, error }: StructValues<typeof SIMPLE_REPLY>): void {
    const request = this.#requestOf(cookie)
    if (error !== 0) request.error = { error, text: '' }
    else if (request.command !== Command.Read || this.#options.form !== 'simple') {
      throw this.#wrong('a simple reply stands where data belongs')
    } else {
      const { offset, length } = request
      this.#options.intake.expect(placeIn(request, offset, length), () => this.#finish(cookie, request))
      return
    }
    this.#finish(cookie, request)
  }

  /** The first 16 bytes are in `#head`; the length follows. */
  #takeStructured(): void {
    const size = structSizeBytes(STRUCTURED_REPLY)
    const begun = structSizeBytes(SIMPLE_REPLY)
    this.#options.intake.expect(this.#head.subarray(begun, size), () => {
      this.#takeChunk(this.#chunkOf(readFields(this.#options.uri, STRUCTURED_REPLY, this.#head)))
    })
  }

  #chunkOf(reply: StructValues<typeof STRUCTURED_REPLY>): Chunk {
    const { cookie, type, length, flags } = reply
    return { cookie, request: this.#requestOf(cookie), type, length, isLast: (flags & DONE) !== 0 }
  }

  #takeChunk(chunk: Chunk): void {
    const { request, type, length } = chunk
    if (type >= FIRST_ERROR_CHUNK) this.#takeError(chunk)
    else if (type === ChunkType.None) {
      if (length !== 0 || !chunk.isLast) throw this.#wrong('an empty chunk is not the last one')
      this.#endChunk(chunk)
    } else if (type === ChunkType.OffsetData && request.command === Command.Read) this.#takeData(chunk)
    else if (type === ChunkType.OffsetHole && request.command === Command.Read) this.#takeHole(chunk)
    else if (type === ChunkType.BlockStatus) this.#takeStatus(chunk, COMPACT_DESCRIPTOR_BYTES)
    else if (type === ChunkType.BlockStatusExtended) this.#takeStatus(chunk, EXTENDED_DESCRIPTOR_BYTES)
    else throw this.#wrong(`a chunk has type ${type}, which is no answer to command ${request.command}`)
  }

  #takeData(chunk: Chunk): void {
    const length = chunk.length - structSizeBytes(DATA_HEAD)
    this.#fields(DATA_HEAD, ({ offset }) => {
      this.#options.intake.expect(this.#place(chunk, offset, length), () => this.#endChunk(chunk))
    })
  }

  #takeHole(chunk: Chunk): void {
    if (chunk.length !== structSizeBytes(HOLE)) throw this.#wrong(`a hole takes ${chunk.length} bytes`)
    this.#fields(HOLE, ({ offset, length }) => {
      this.#place(chunk, offset, length).fill(0)
      this.#endChunk(chunk)
    })
  }

  #place({ request }: Chunk, offset: number, length: number): Uint8Array {
    if (request.command !== Command.Read) throw this.#wrong('data answers no read')
    return placeIn(request, offset, length)
  }

  #takeStatus(chunk: Chunk, descriptorBytes: number): void {
    const { request } = chunk
    const isExtended = descriptorBytes === EXTENDED_DESCRIPTOR_BYTES
    if (request.command !== Command.BlockStatus || (isExtended && this.#options.form !== 'extended')) {
      throw this.#wrong(`a chunk has type ${chunk.type}, which was not asked for`)
    }
    const headBytes = isExtended ? 8 : 4
    const length = descriptorBytesOf(chunk.length, { headBytes, descriptorBytes })
    if (length === null) throw this.#wrong(`a status takes ${chunk.length} bytes`)
    const head = this.#head.subarray(0, headBytes)
    this.#options.intake.expect(head, () => {
      const view = new DataView(head.buffer)
      const id = view.getUint32(0)
      const count = isExtended ? view.getUint32(4) : 0
      if (!this.#options.contextIds.has(id) || request.answers.has(id)) {
        throw this.#wrong(`it gives the status of context ${id} twice, or without being asked`)
      }
      if (count !== 0 && count * descriptorBytes !== length) throw this.#wrong('a status is cut short')
      const bytes = new Uint8Array(length)
      request.answers.set(id, { bytes, descriptorBytes })
      this.#options.intake.expect(bytes, () => this.#endChunk(chunk))
    })
  }

  #takeError(chunk: Chunk): void {
    const { request, length } = chunk
    const headSize = structSizeBytes(ERROR_HEAD)
    request.errorCount += 1
    if (length < headSize || length > ERROR_PAYLOAD_MAX_BYTES || request.errorCount > ERRORS_MAX) {
      throw this.#wrong(`an error takes ${length} bytes, or is one of too many`)
    }
    const payload = new Uint8Array(length)
    this.#options.intake.expect(payload, () => {
      const { error, messageLength } = readFields(this.#options.uri, ERROR_HEAD, payload)
      if (headSize + messageLength > length || error === 0) throw this.#wrong('an error is none')
      request.error ??= { error, text: serverText(payload.subarray(headSize, headSize + messageLength)) }
      this.#endChunk(chunk)
    })
  }

  #endChunk({ cookie, request, isLast }: Chunk): void {
    if (isLast) this.#finish(cookie, request)
    else this.start()
  }

  #finish(cookie: number, request: PendingRequest): void {
    if (request.error === null) {
      if (request.command === Command.Read && !request.coverage.isWhole) {
        throw this.#wrong(`a read of ${request.offset}+${request.length} was answered in part`)
      }
      if (request.command === Command.BlockStatus && request.answers.size !== this.#options.contextIds.size) {
        throw this.#wrong('it leaves a context out of a status')
      }
    }
    this.#options.done(cookie, request)
    this.start()
  }

  #requestOf(cookie: number): PendingRequest {
    const request = this.#options.pending(cookie)
    if (request === undefined) throw this.#wrong(`it answers request ${cookie}, which is not under way`)
    return request
  }

  #fields<const L extends Layout>(layout: L, use: (values: StructValues<L>) => void): void {
    const bytes = this.#head.subarray(0, structSizeBytes(layout))
    this.#options.intake.expect(bytes, () => use(readFields(this.#options.uri, layout, bytes)))
  }

  #wrong(finding: string): Error {
    return protocolWrong(this.#options.uri, finding)
  }
}
