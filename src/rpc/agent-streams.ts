import type { Range, RangeBatch } from '../domain/range.ts'
import { endOf } from '../domain/range.ts'
import { PIECE_BYTES_MAX, type AgentApi, type ExtentsOfEpoch, type PieceOfImage } from './agent-api.ts'
import type { AgentCalls } from './agent-calls.ts'
import { protocolWrong } from './error-from-wire.ts'
import { AgentService } from './gen/icecore/v1/agent_pb.ts'
import type { KnownImages } from './image-facts.ts'
import { rangeToMessage } from './range-message.ts'
import { ReceivedStream } from './received-stream.ts'
import { extentsFromBytes, GET_DELTA, GET_EXTENTS, IDENTIFY, rangesFromBytes } from './received-messages.ts'
import { resumed } from './resumed.ts'
import { READ_RANGES_MAX } from './wire-limits.ts'
import { numberFrom } from './wire-values.ts'

type Streams = Pick<AgentApi, 'extents' | 'identify' | 'delta' | 'read'>

/** The streams of an agent, checked, and gone on with where they were cut off. */
export function agentStreams(calls: AgentCalls, images: KnownImages): Streams {
  return {
    extents: (from, signal) => {
      const state = new ReceivedStream(from.startingOffset, images.get(from.imageId))
      return taken(calls, resumeMap(calls, { from, state }, signal))
    },
    identify: (from, signal) => {
      const state = new ReceivedStream(from.startingOffset, images.get(from.imageId))
      return taken(calls, resumeIdentification(calls, { from, state }, signal))
    },
    delta: (from, signal) => {
      const state = new ReceivedStream(from.startingOffset, images.get(from.imageId))
      return taken(calls, resumeDelta(calls, { from, state }, signal))
    },
    read: (what, signal) => taken(calls, readAll(calls, what, signal)),
  }
}

type Asked<From> = { readonly from: From; readonly state: ReceivedStream }

async function* resumeMap(
  calls: AgentCalls,
  { from, state }: Asked<Parameters<AgentApi['extents']>[0]>,
  signal: AbortSignal,
): AsyncGenerator<ExtentsOfEpoch> {
  async function* open(): AsyncGenerator<ExtentsOfEpoch> {
    // All of it had come, and only the end of the stream was lost.
    if (state.count > 0 && state.position === state.sizeBytes) return
    state.begin()
    const request = { imageId: from.imageId, startingOffset: BigInt(state.position) }
    for await (const message of calls.stream(GET_EXTENTS, request, signal)) {
      const part = extentsFromBytes(message)
      const gap = part.extents.find((extent, index) => {
        const before = part.extents[index - 1]
        return extent.offset !== (before === undefined ? state.position : endOf(before))
      })
      state.takeExtents(part)
      if (gap !== undefined) throw new SyntaxError(`nothing is said of what lies before ${gap.offset}`)
      yield part
    }
    if (state.sizeBytes === null || state.position !== state.sizeBytes) {
      throw new SyntaxError(`the map ends at ${state.position} of ${state.sizeBytes ?? 'unknown'} bytes`)
    }
  }
  yield* resumed({ open, progress: () => state.position }, calls, signal)
}

async function* resumeIdentification(
  calls: AgentCalls,
  { from, state }: Asked<Parameters<AgentApi['identify']>[0]>,
  signal: AbortSignal,
): AsyncGenerator<ExtentsOfEpoch> {
  async function* open(): AsyncGenerator<ExtentsOfEpoch> {
    state.begin()
    let messageCount = 0
    const request = {
      imageId: from.imageId,
      epoch: from.epoch,
      startingOffset: BigInt(state.position),
    }
    for await (const message of calls.stream(IDENTIFY, request, signal)) {
      const { imageSizeBytes, epoch, extents } = extentsFromBytes(message)
      state.takeExtents({ imageSizeBytes, epoch, extents })
      if (epoch === from.epoch && extents.length > 0) {
        throw new SyntaxError('extents are altered under the epoch that they had')
      }
      messageCount += 1
      yield { imageSizeBytes, epoch, extents }
    }
    // Silence is no answer to the question whether something moved.
    if (messageCount === 0) throw new SyntaxError('an identification has no message')
  }
  yield* resumed({ open, progress: () => state.position }, calls, signal)
}

async function* resumeDelta(
  calls: AgentCalls,
  { from, state }: Asked<Parameters<AgentApi['delta']>[0]>,
  signal: AbortSignal,
): AsyncGenerator<RangeBatch> {
  async function* open(): AsyncGenerator<RangeBatch> {
    state.begin()
    const { imageId, basePointId } = from
    const request = { imageId, basePointId, startingOffset: BigInt(state.position) }
    for await (const message of calls.stream(GET_DELTA, request, signal)) {
      const { imageSizeBytes, ranges } = rangesFromBytes(message)
      // 0 from an agent that was started again since the image was made.
      state.takeRanges(imageSizeBytes === 0 ? null : imageSizeBytes, ranges)
      yield ranges
    }
  }
  yield* resumed({ open, progress: () => state.position }, calls, signal)
}

async function* readAll(
  calls: AgentCalls,
  what: { readonly imageId: string; readonly ranges: readonly Range[] },
  signal: AbortSignal,
): AsyncGenerator<PieceOfImage> {
  for (let begin = 0; begin < what.ranges.length; begin += READ_RANGES_MAX) {
    const ranges = what.ranges.slice(begin, begin + READ_RANGES_MAX)
    yield* readRanges(calls, { imageId: what.imageId, ranges }, signal)
  }
}

async function* readRanges(
  calls: AgentCalls,
  { imageId, ranges }: { readonly imageId: string; readonly ranges: readonly Range[] },
  signal: AbortSignal,
): AsyncGenerator<PieceOfImage> {
  let missing = [...ranges]
  let index = 0
  let progress = 0
  async function* open(): AsyncGenerator<PieceOfImage> {
    missing = missing.slice(index)
    index = 0
    if (missing.length === 0) return
    const request = { imageId, ranges: missing.map(rangeToMessage) }
    for await (const message of calls.stream(AgentService.method.readExtents, request, signal)) {
      const offset = numberFrom(message.byteOffset, 'byte_offset')
      const bytes = message.data
      const expected = missing[index]
      const isNext = expected !== undefined && offset === expected.offset
      const { byteLength } = bytes
      if (!isNext || byteLength < 1 || byteLength > Math.min(expected.length, PIECE_BYTES_MAX)) {
        const wanted = expected === undefined ? 'the end' : `${expected.offset}+${expected.length}`
        throw new SyntaxError(`${byteLength} bytes come at ${offset}, expected ${wanted}`)
      }
      progress += byteLength
      if (byteLength === expected.length) index += 1
      else missing[index] = { offset: offset + byteLength, length: expected.length - byteLength }
      yield { offset, bytes }
    }
    if (index < missing.length) throw new SyntaxError(`${missing.length - index} ranges have not come whole`)
  }
  yield* resumed({ open, progress: () => progress }, calls, signal)
}

/** What the other side broke of the protocol, as an error that names it. */
async function* taken<T>(calls: AgentCalls, items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items
  } catch (error) {
    throw error instanceof SyntaxError ? protocolWrong(calls.agent, error.message, error) : error
  }
}
