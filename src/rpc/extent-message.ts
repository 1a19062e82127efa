import assert from 'node:assert/strict'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Extent } from '../domain/extent.ts'
import { ExtentKind, type ExtentSchema } from './gen/icecore/v1/agent_pb.ts'

/** For clients that ask in JSON; all others get what extent-codec.ts writes. */
export function extentToMessage(extent: Extent): MessageInitShape<typeof ExtentSchema> {
  const range = { byteOffset: BigInt(extent.offset), sizeBytes: BigInt(extent.length) }
  if (extent.kind === 'zero') return { ...range, kind: ExtentKind.ZERO }
  assert(extent.kind === 'data', 'the bytes of inline extents are not sent with the map')
  return {
    ...range,
    kind: ExtentKind.DATA,
    device: extent.device,
    physicalOffset: BigInt(extent.physicalOffset),
  }
}
