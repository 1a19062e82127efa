import { create, type Message } from '@bufbuild/protobuf'
import { Code, type HandlerContext } from '@connectrpc/connect'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { RangeBatch } from '../domain/range.ts'
import type { ExtentsOfEpoch, StreamFrom } from './agent-api.ts'
import { refusal } from './error-to-wire.ts'
import { extentsToField, rangesToField } from './extent-codec.ts'
import { extentToMessage } from './extent-message.ts'
import {
  GetDeltaResponseSchema,
  GetExtentsResponseSchema,
  IdentifyConfigurationResponseSchema,
  type GetDeltaResponse,
  type GetExtentsResponse,
  type IdentifyConfigurationResponse,
} from './gen/icecore/v1/agent_pb.ts'
import { rangeToMessage } from './range-message.ts'
import { MESSAGE_ITEMS } from './wire-limits.ts'

const EXTENTS_FIELD = GetExtentsResponseSchema.field.extents.number
const ALTERED_FIELD = IdentifyConfigurationResponseSchema.field.altered.number
const RANGES_FIELD = GetDeltaResponseSchema.field.ranges.number

/** The messages of a map. */
export function extentAnswers(
  map: AsyncIterable<ExtentsOfEpoch>,
  from: StreamFrom,
  context: HandlerContext,
): AsyncGenerator<GetExtentsResponse> {
  return mapAnswers(messagesOf(map, from), context, {
    field: EXTENTS_FIELD,
    make: (head, extents) => create(GetExtentsResponseSchema, { ...head, extents }),
  })
}

/** The messages of an identification. */
export function alteredAnswers(
  altered: AsyncIterable<ExtentsOfEpoch>,
  from: StreamFrom,
  context: HandlerContext,
): AsyncGenerator<IdentifyConfigurationResponse> {
  return mapAnswers(messagesOf(altered, from), context, {
    field: ALTERED_FIELD,
    make: (head, extents) => create(IdentifyConfigurationResponseSchema, { ...head, altered: extents }),
  })
}

type Head = { readonly imageSizeBytes: bigint; readonly epoch: string }

/** The two messages differ in what they call their extents. */
type MapMessage<Answer> = {
  readonly field: number
  readonly make: (head: Head, extents: ReturnType<typeof extentToMessage>[]) => Answer
}

async function* mapAnswers<Answer extends Message>(
  parts: AsyncIterable<ExtentsOfEpoch>,
  context: HandlerContext,
  { field, make }: MapMessage<Answer>,
): AsyncGenerator<Answer> {
  for await (const { imageSizeBytes, epoch, extents } of parts) {
    const head = { imageSizeBytes: BigInt(imageSizeBytes), epoch }
    if (isJson(context)) {
      yield make(head, extents.map(extentToMessage))
      continue
    }
    const message = make(head, [])
    message.$unknown = extentsToField(extents, field)
    yield message
  }
}

/** The messages of a change list; `imageSizeBytes` is 0 where it is not known. */
export async function* deltaAnswers(
  ranges: AsyncIterable<RangeBatch>,
  imageSizeBytes: number,
  context: HandlerContext,
): AsyncGenerator<GetDeltaResponse> {
  const head = { imageSizeBytes: BigInt(imageSizeBytes) }
  for await (const batch of ranges) {
    for (const part of partsOf(batch)) {
      if (isJson(context)) {
        yield create(GetDeltaResponseSchema, { ...head, ranges: part.map(rangeToMessage) })
        continue
      }
      const message = create(GetDeltaResponseSchema, head)
      message.$unknown = rangesToField(part, RANGES_FIELD)
      yield message
    }
  }
}

async function* messagesOf(
  batches: AsyncIterable<ExtentsOfEpoch>,
  from: StreamFrom,
): AsyncGenerator<ExtentsOfEpoch> {
  for await (const batch of batches) {
    requireStart(from, batch.imageSizeBytes)
    for (const extents of partsOf(batch.extents)) yield { ...batch, extents }
  }
}

/** A batch of any length in messages of a bounded one; an empty batch is a message too. */
function* partsOf<T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length <= MESSAGE_ITEMS) return yield items
  for (let begin = 0; begin < items.length; begin += MESSAGE_ITEMS) {
    yield items.slice(begin, begin + MESSAGE_ITEMS)
  }
}

function requireStart(from: StreamFrom, imageSizeBytes: number): void {
  if (from.startingOffset <= imageSizeBytes) return
  const message =
    `Cannot begin at ${from.startingOffset} of image "${from.imageId}": ` +
    `it has ${imageSizeBytes} bytes, expected an offset within them`
  throw refusal(new BackupError(ErrorCode.UsageWrong, message), Code.OutOfRange)
}

/** What was encoded beforehand is in the binary format only. */
function isJson(context: HandlerContext): boolean {
  return /json/i.test(context.requestHeader.get('content-type') ?? '')
}
