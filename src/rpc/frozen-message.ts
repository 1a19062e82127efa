import type { MessageInitShape } from '@bufbuild/protobuf'
import type { FreezeOrder, FrozenByAgent, ImageOfAgent } from './agent-api.ts'
import {
  degradedFromMessages,
  freezeRecordFromMessage,
  freezeRecordToMessage,
  whole,
} from './freeze-record-message.ts'
import {
  BaseState,
  type FreezeResponse,
  type FreezeResponseSchema,
  type FrozenImage,
  type FrozenImageSchema,
} from './gen/icecore/v1/agent_pb.ts'
import { grantedLease } from './freeze-order-message.ts'
import { identitiesFromMessages, identityToMessage, sectorSizeFrom } from './identity-message.ts'
import { listFrom, numberFrom, optionalNumber, textFrom } from './wire-values.ts'

const BASE_STATES = {
  none: BaseState.NONE,
  lost: BaseState.LOST,
  held: BaseState.HELD,
} as const

export function frozenToMessage(frozen: FrozenByAgent): MessageInitShape<typeof FreezeResponseSchema> {
  return {
    groupId: frozen.groupId,
    images: frozen.images.map(imageToMessage),
    degraded: [...frozen.degraded],
    leaseSeconds: frozen.leaseSeconds,
    ...(frozen.freeze === null ? {} : { freeze: freezeRecordToMessage(frozen.freeze) }),
  }
}

function imageToMessage(image: ImageOfAgent): MessageInitShape<typeof FrozenImageSchema> {
  const { windowMs, ...rest } = image
  return {
    ...rest,
    sizeBytes: BigInt(image.sizeBytes),
    devices: image.devices.map(identityToMessage),
    base: BASE_STATES[image.base],
    ...(windowMs === null ? {} : { windowMs: whole(windowMs) }),
  }
}

/** Throws SyntaxError, also when there is not one image for each source of the order, in their order. */
export function frozenFromMessage(
  message: FreezeResponse,
  { sources, leaseSeconds }: Pick<FreezeOrder, 'sources' | 'leaseSeconds'>,
): FrozenByAgent {
  const images = listFrom(message.images, 'images').map(imageFromMessage)
  if (images.length !== sources.length || images.some((image, index) => image.source !== sources[index])) {
    throw new SyntaxError('the images are not those of the sources that were asked for, in their order')
  }
  if (new Set(images.map((image) => image.imageId)).size !== images.length) {
    throw new SyntaxError('two images have the same id')
  }
  return {
    groupId: textFrom(message.groupId, 'group_id'),
    images,
    freeze: message.freeze === undefined ? null : freezeRecordFromMessage(message.freeze),
    degraded: degradedFromMessages(message.degraded),
    leaseSeconds: grantedLease(message.leaseSeconds, leaseSeconds),
  }
}

function imageFromMessage(message: FrozenImage): ImageOfAgent {
  return {
    imageId: textFrom(message.imageId, 'image_id'),
    source: textFrom(message.source, 'source'),
    provider: textFrom(message.provider, 'provider'),
    heldId: textFrom(message.heldId, 'held_id'),
    heldSource: textFrom(message.heldSource, 'held_source'),
    sizeBytes: numberFrom(message.sizeBytes, 'size_bytes'),
    sectorSizeBytes: sectorSizeFrom(message.sectorSizeBytes),
    epoch: textFrom(message.epoch, 'epoch'),
    devices: identitiesFromMessages(message.devices),
    base: baseFrom(message.base),
    windowMs: optionalNumber(message.windowMs, 'window_ms'),
  }
}

function baseFrom(state: BaseState): ImageOfAgent['base'] {
  if (state === BaseState.HELD) return 'held'
  if (state === BaseState.LOST) return 'lost'
  if (state === BaseState.NONE) return 'none'
  throw new SyntaxError(`base is ${state}, expected none, lost or held`)
}
