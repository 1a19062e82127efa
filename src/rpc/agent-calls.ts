import { setImmediate as nextTurn } from 'node:timers/promises'
import type {
  DescMessage,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf'
import { Code, ConnectError, type Transport } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import type { AgentSession } from './agent-session.ts'
import { errorFromWire, silent } from './error-from-wire.ts'
import type { Outage } from './outage.ts'
import type { Patience } from './patience.ts'
import { pause } from './resumed.ts'
import { MESSAGE_BYTES_MAX } from './wire-limits.ts'

export type CallLimits = {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** To ask twice is the same as to ask once. */
  readonly isRepeatable?: boolean
  /** It ends what is over anyway: of an agent that is known not to be there it is asked once, and shortly. */
  readonly isTidying?: boolean
}

/** A stream that the other side has not begun, because it was about to close the connection, is asked for again. */
const REFUSED_RETRIES_MAX = 3

/** Calls over one session. Every failure is a BackupError that names the agent, or the reason of the signal. */
export class AgentCalls {
  readonly agent: string
  readonly patience: Patience
  readonly #session: AgentSession
  readonly #transport: Transport
  readonly outage: Outage

  constructor(
    session: AgentSession,
    parts: { readonly agent: string; readonly patience: Patience; readonly outage: Outage },
  ) {
    this.agent = parts.agent
    this.outage = parts.outage
    this.patience = parts.patience
    this.#session = session
    this.#transport = createGrpcTransport({
      baseUrl: session.authority,
      sessionManager: session,
      readMaxBytes: MESSAGE_BYTES_MAX,
      writeMaxBytes: MESSAGE_BYTES_MAX,
      // Data is compressed where it is stored, and nobody can send a little that becomes much.
      acceptCompression: [],
    })
  }

  /** When the certificate ends that the agent shows. */
  async peerEndsAtMs(signal: AbortSignal): Promise<number> {
    signal.throwIfAborted()
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort)
    try {
      return await Promise.race([this.#session.peerEndsAtMs(), aborted])
    } catch (error) {
      throw await this.#failure(error, { timeoutMs: 0, signal })
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async once<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    limits: CallLimits,
  ): Promise<MessageShape<O>> {
    const { outage, patience } = this
    const { signal, isRepeatable = false, isTidying = false } = limits
    if (!isTidying) outage.requireHope()
    else if (outage.isKnown) outage.hurry()
    let failingSinceMs: number | null = null
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(method, request, limits)
      } catch (error) {
        signal.throwIfAborted()
        failingSinceMs ??= outage.now()
        const isTooMuch = !isRepeatable || outage.hasLasted(failingSinceMs)
        if (isTooMuch || !outage.mayPass(error)) throw outage.verdict(error)
      }
      if (isTidying) outage.hurry()
      await pause(attempt, patience, signal)
    }
  }

  async #once<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    { timeoutMs, signal }: CallLimits,
  ): Promise<MessageShape<O>> {
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted()
      try {
        const response = await this.#transport.unary(method, signal, timeoutMs, undefined, request)
        this.outage.end()
        return response.message
      } catch (error) {
        if (error instanceof ConnectError && error.isWireError) this.outage.end()
        if (attempt < REFUSED_RETRIES_MAX && wasNotBegun(error)) continue
        throw await this.#failure(error, { timeoutMs, signal })
      }
    }
  }

  async *stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    signal: AbortSignal,
  ): AsyncGenerator<MessageShape<O>> {
    signal.throwIfAborted()
    this.outage.requireHope()
    const left = new AbortController()
    const either = AbortSignal.any([signal, left.signal])
    const { silenceMs } = this.patience
    const silence = (): void => left.abort(silent(this.agent, silenceMs))
    let timer = setTimeout(silence, silenceMs)
    try {
      const response = await this.#transport.stream(method, either, undefined, undefined, once(request))
      for await (const message of response.message) {
        clearTimeout(timer)
        this.outage.end()
        yield message
        timer = setTimeout(silence, silenceMs)
      }
    } catch (error) {
      throw await this.#failure(either.aborted && !signal.aborted ? either.reason : error, {
        timeoutMs: 0,
        signal,
      })
    } finally {
      clearTimeout(timer)
      left.abort()
    }
  }

  async send<I extends DescMessage, O extends DescMessage>(
    method: DescMethodClientStreaming<I, O>,
    requests: AsyncIterable<MessageInitShape<I>>,
    signal: AbortSignal,
  ): Promise<MessageShape<O>> {
    signal.throwIfAborted()
    this.outage.requireHope()
    const left = new AbortController()
    const either = AbortSignal.any([signal, left.signal])
    const ours: unknown[] = []
    async function* watched(): AsyncGenerator<MessageInitShape<I>> {
      try {
        yield* requests
      } catch (error) {
        // What the connection failed with is thrown in here too.
        if (!(error instanceof ConnectError)) ours.push(error)
        left.abort()
        throw error
      }
    }
    try {
      const response = await this.#transport.stream(method, either, undefined, undefined, watched())
      for await (const message of response.message) {
        this.outage.end()
        return message
      }
      throw new SyntaxError('it ends the call without an answer')
    } catch (error) {
      if (ours.length > 0) throw ours[0]
      throw await this.#failure(error, { timeoutMs: 0, signal })
    } finally {
      left.abort()
    }
  }

  /** What to throw for `error`; the others hear of it when nobody was there. */
  async #failure(error: unknown, limits: CallLimits): Promise<unknown> {
    const failure = await this.#failureOf(error, limits)
    if (error instanceof ConnectError && error.isWireError) this.outage.end()
    else if (!limits.signal.aborted) this.outage.note(failure)
    return failure
  }

  async #failureOf(error: unknown, { timeoutMs, signal }: CallLimits): Promise<unknown> {
    if (signal.aborted) return signal.reason
    // The end of a stream comes before that of its connection, which says why.
    await nextTurn()
    const isTold = error instanceof ConnectError && error.isWireError
    if (this.#session.failure !== null && !isTold) return this.#session.failure
    if (error instanceof ConnectError && error.code === Code.DeadlineExceeded && timeoutMs > 0) {
      return silent(this.agent, timeoutMs)
    }
    return errorFromWire(error, this.agent)
  }
}

function wasNotBegun(error: unknown): boolean {
  return (
    error instanceof ConnectError && error.code === Code.Unavailable && /REFUSED_STREAM/.test(error.message)
  )
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield await Promise.resolve(value)
}
