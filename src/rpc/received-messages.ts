import type { DescMethodServerStreaming, Message } from '@bufbuild/protobuf'
import { EmptySchema } from '@bufbuild/protobuf/wkt'
import type { Extent } from '../domain/extent.ts'
import type { Range } from '../domain/range.ts'
import { extentFromField, rangeFromField } from './extent-codec.ts'
import { AgentService } from './gen/icecore/v1/agent_pb.ts'
import { ProtoCursor } from './proto-cursor.ts'
import { MESSAGE_ITEMS_MAX, TEXT_LENGTH_MAX } from './wire-limits.ts'

type AsEmpty<M> =
  M extends DescMethodServerStreaming<infer I> ? DescMethodServerStreaming<I, typeof EmptySchema> : never

// A message that knows no field keeps all of them as the bytes that came: extent-codec.ts reads them.
const { getExtents, identifyConfiguration, getDelta } = AgentService.method
export const GET_EXTENTS: AsEmpty<typeof getExtents> = { ...getExtents, output: EmptySchema }
export const IDENTIFY: AsEmpty<typeof identifyConfiguration> = {
  ...identifyConfiguration,
  output: EmptySchema,
}
export const GET_DELTA: AsEmpty<typeof getDelta> = { ...getDelta, output: EmptySchema }

/** GetExtentsResponse and IdentifyConfigurationResponse, which have the same fields. */
export function extentsFromBytes(message: Message): {
  imageSizeBytes: number
  epoch: string
  extents: Extent[]
} {
  let imageSizeBytes = 0
  let epoch = ''
  const extents: Extent[] = []
  for (const { no, data } of fieldsOf(message)) {
    if (no === 3) extents.push(extentFromField(data))
    else if (no === 1) imageSizeBytes = new ProtoCursor(data).number()
    else if (no === 2) epoch = new ProtoCursor(data).text()
  }
  if (epoch.length > 0 && epoch.length <= TEXT_LENGTH_MAX) return { imageSizeBytes, epoch, extents }
  throw new SyntaxError(`an epoch has ${epoch.length} characters, expected 1 to ${TEXT_LENGTH_MAX}`)
}

export function rangesFromBytes(message: Message): { imageSizeBytes: number; ranges: Range[] } {
  let imageSizeBytes = 0
  const ranges: Range[] = []
  for (const { no, data } of fieldsOf(message)) {
    if (no === 2) ranges.push(rangeFromField(data))
    else if (no === 1) imageSizeBytes = new ProtoCursor(data).number()
  }
  return { imageSizeBytes, ranges }
}

function fieldsOf(message: Message): NonNullable<Message['$unknown']> {
  const fields = message.$unknown ?? []
  if (fields.length <= MESSAGE_ITEMS_MAX) return fields
  throw new SyntaxError(`a message has ${fields.length} fields, at most ${MESSAGE_ITEMS_MAX} are taken`)
}
