import type { Range } from '../domain/range.ts'
import type { StreamFrom } from './agent-api.ts'
import type {
  GetDeltaRequest,
  GetExtentsRequest,
  IdentifyConfigurationRequest,
  ReadExtentsRequest,
} from './gen/icecore/v1/agent_pb.ts'
import { ascendingRanges } from './range-message.ts'
import { READ_RANGES_MAX } from './wire-limits.ts'
import { listFrom, numberFrom, textFrom } from './wire-values.ts'

function streamFrom(request: { readonly imageId: string; readonly startingOffset: bigint }): StreamFrom {
  return {
    imageId: textFrom(request.imageId, 'image_id'),
    startingOffset: numberFrom(request.startingOffset, 'starting_offset'),
  }
}

export function extentsFrom(request: GetExtentsRequest): StreamFrom {
  return streamFrom(request)
}

export function deltaFrom(request: GetDeltaRequest): StreamFrom & { readonly basePointId: string } {
  return { ...streamFrom(request), basePointId: textFrom(request.basePointId, 'base_point_id') }
}

export function identifyFrom(request: IdentifyConfigurationRequest): StreamFrom & { readonly epoch: string } {
  return { ...streamFrom(request), epoch: textFrom(request.epoch, 'epoch') }
}

export function readFrom(request: ReadExtentsRequest): {
  readonly imageId: string
  readonly ranges: readonly Range[]
} {
  const ranges = listFrom(request.ranges, 'ranges', READ_RANGES_MAX)
  return { imageId: textFrom(request.imageId, 'image_id'), ranges: ascendingRanges(ranges) }
}
