import type { MessageInitShape } from '@bufbuild/protobuf'
import type { DeviceIdentity } from '../domain/device-identity.ts'
import type { DeviceIdentity as IdentityMessage, DeviceIdentitySchema } from './gen/icecore/v1/agent_pb.ts'
import { integerFrom, listFrom, numberFrom, optionalText } from './wire-values.ts'

/** No disk has larger ones. */
const SECTOR_BYTES_MAX = 1024 * 1024

export function identityToMessage(identity: DeviceIdentity): MessageInitShape<typeof DeviceIdentitySchema> {
  return {
    name: identity.name ?? '',
    sizeBytes: BigInt(identity.sizeBytes),
    sectorSizeBytes: identity.sectorSizeBytes,
  }
}

export function identitiesFromMessages(messages: readonly IdentityMessage[]): readonly DeviceIdentity[] {
  return listFrom(messages, 'devices').map((message) => ({
    name: optionalText(message.name, 'a device name'),
    sizeBytes: numberFrom(message.sizeBytes, 'the size of a device'),
    sectorSizeBytes: sectorSizeFrom(message.sectorSizeBytes),
  }))
}

export function sectorSizeFrom(value: number): number {
  return integerFrom(value, 'sector_size_bytes', { min: 1, max: SECTOR_BYTES_MAX })
}
