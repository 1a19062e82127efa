import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Range } from '../domain/range.ts'
import type { Range as RangeMessage, RangeSchema } from './gen/icecore/v1/agent_pb.ts'
import { numberFrom } from './wire-values.ts'

export function rangeToMessage(range: Range): MessageInitShape<typeof RangeSchema> {
  return { byteOffset: BigInt(range.offset), sizeBytes: BigInt(range.length) }
}

/** Throws SyntaxError for one that is empty or ends beyond what can be counted. */
export function rangeFromMessage(message: RangeMessage): Range {
  const range = {
    offset: numberFrom(message.byteOffset, 'byte_offset'),
    length: numberFrom(message.sizeBytes, 'size_bytes'),
  }
  if (range.length >= 1 && Number.isSafeInteger(range.offset + range.length)) return range
  throw new SyntaxError(`a range is ${range.offset}+${range.length}, expected at least 1 byte`)
}

/** Throws SyntaxError where they do not ascend or overlap. */
export function ascendingRanges(messages: readonly RangeMessage[]): Range[] {
  let end = 0
  return messages.map((message) => {
    const range = rangeFromMessage(message)
    if (range.offset < end) {
      throw new SyntaxError(
        `a range is ${range.offset}+${range.length} after ${end}, expected ascending ones`,
      )
    }
    end = range.offset + range.length
    return range
  })
}
