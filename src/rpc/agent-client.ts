import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import type { AgentApi, PieceToWrite } from './agent-api.ts'
import type { AgentCalls } from './agent-calls.ts'
import { agentStreams } from './agent-streams.ts'
import { digestsFromMessage } from './challenge-message.ts'
import { protocolWrong } from './error-from-wire.ts'
import { freezeOrderToMessage, grantedLease } from './freeze-order-message.ts'
import { frozenFromMessage } from './frozen-message.ts'
import { AgentService, type GetLoadResponse } from './gen/icecore/v1/agent_pb.ts'
import { KnownImages } from './image-facts.ts'
import { rangeToMessage } from './range-message.ts'
import { sourcesFromMessage, statusFromMessage } from './status-message.ts'
import { pieceToMessage, targetFromMessage } from './target-message.ts'
import { CERTIFICATE_BYTES_MAX } from './wire-limits.ts'
import { bytesFrom, numberFrom } from './wire-values.ts'

const { method } = AgentService

/** An agent that is asked over `calls`. What it answers is checked here. */
export function agentClient(calls: AgentCalls): AgentApi {
  const images = new KnownImages()
  const isRepeatable = true
  const ask = asker(calls)
  return {
    ...agentStreams(calls, images),
    ...targetCalls(calls, images),
    ...certificateCalls(ask),
    status: (signal) => ask(method.getStatus, {}, { signal, isRepeatable, read: statusFromMessage }),
    listSources: (signal) => ask(method.listSources, {}, { signal, isRepeatable, read: sourcesFromMessage }),
    freeze: (order, signal) =>
      ask(method.freeze, freezeOrderToMessage(order), {
        signal,
        timeoutMs: calls.patience.longAnswerMs,
        read: (message) => {
          const frozen = frozenFromMessage(message, order)
          for (const image of frozen.images) images.set(image.imageId, image)
          return frozen
        },
      }),
    challenge: ({ imageId, key, ranges }, signal) =>
      ask(
        method.challenge,
        { imageId, key, ranges: ranges.map(rangeToMessage) },
        {
          signal,
          isRepeatable,
          timeoutMs: calls.patience.longAnswerMs,
          read: (message) => digestsFromMessage(message, ranges.length),
        },
      ),
    load: (imageId, signal) =>
      ask(method.getLoad, { imageId }, { signal, isRepeatable, read: loadFromMessage }),
    renew: (lease, signal) =>
      ask(method.renew, lease, {
        signal,
        isRepeatable,
        read: ({ leaseSeconds }) => grantedLease(leaseSeconds, lease.leaseSeconds),
      }),
    keep: (kept, signal) => ask(method.keep, kept, { signal, read: nothing }),
    release: (groupId, signal) =>
      ask(method.release, { groupId }, { signal, isRepeatable, isTidying: true, read: nothing }),
  }
}

type Ask = <I extends DescMessage, O extends DescMessage, T>(
  called: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  how: {
    readonly signal: AbortSignal
    readonly timeoutMs?: number
    readonly isRepeatable?: boolean
    readonly isTidying?: boolean
    /** Throws SyntaxError. */
    readonly read: (message: MessageShape<O>) => T
  },
) => Promise<T>

function asker(calls: AgentCalls): Ask {
  return async (called, request, { timeoutMs = calls.patience.answerMs, read, ...limits }) => {
    const message = await calls.once(called, request, { ...limits, timeoutMs })
    try {
      return read(message)
    } catch (error) {
      throw error instanceof SyntaxError ? protocolWrong(calls.agent, error.message, error) : error
    }
  }
}

function targetCalls(
  calls: AgentCalls,
  images: KnownImages,
): Pick<AgentApi, 'openTarget' | 'write' | 'closeTarget'> {
  const ask = asker(calls)
  const timeoutMs = calls.patience.longAnswerMs
  return {
    openTarget: (order, signal) =>
      ask(
        method.openTarget,
        { ...order, sizeBytesMin: BigInt(order.sizeBytesMin) },
        {
          signal,
          timeoutMs,
          read: (message) => {
            const target = targetFromMessage(message, order.leaseSeconds)
            images.set(target.targetId, target)
            return target
          },
        },
      ),
    write: async (targetId, pieces, signal) => {
      const requests = piecesToSend(targetId, pieces)
      const { writtenBytes } = await calls.send(method.writeExtents, requests, signal)
      return numberFrom(writtenBytes, 'written_bytes')
    },
    closeTarget: (targetId, signal) =>
      ask(method.closeTarget, { targetId }, { signal, timeoutMs, read: nothing }),
  }
}

async function* piecesToSend(
  targetId: string,
  pieces: AsyncIterable<PieceToWrite>,
): AsyncGenerator<ReturnType<typeof pieceToMessage>> {
  let sum = 0
  for await (const piece of pieces) {
    sum += piece.kind === 'data' ? piece.bytes.byteLength : piece.length
    yield pieceToMessage(targetId, piece)
  }
  yield { targetId, content: { case: 'totalBytes', value: BigInt(sum) } }
}

function certificateCalls(ask: Ask): Pick<AgentApi, 'signingRequest' | 'installCertificate'> {
  return {
    signingRequest: (signal) =>
      ask(
        method.getSigningRequest,
        {},
        { signal, read: ({ request }) => bytesFrom(request, 'request', CERTIFICATE_BYTES_MAX) },
      ),
    installCertificate: ({ certificate, revoked }, signal) =>
      ask(
        method.installCertificate,
        {
          ...(certificate === null ? {} : { certificate }),
          ...(revoked === null ? {} : { revoked }),
        },
        { signal, read: nothing },
      ),
  }
}

function loadFromMessage(message: GetLoadResponse): Awaited<ReturnType<AgentApi['load']>> {
  return {
    readLatencyMs: latencyFrom(message.readLatencyMs),
    writeLatencyMs: latencyFrom(message.writeLatencyMs),
    inFlight: message.inFlight,
  }
}

function latencyFrom(value: number | undefined): number | null {
  if (value === undefined) return null
  if (Number.isFinite(value) && value >= 0) return value
  throw new SyntaxError(`a latency is ${value}, expected milliseconds`)
}

function nothing(): void {}
