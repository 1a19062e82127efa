import type { MessageInitShape } from '@bufbuild/protobuf'
import { PIECE_BYTES_MAX, type PieceToWrite, type TargetOfAgent } from './agent-api.ts'
import type {
  OpenTargetResponse,
  OpenTargetResponseSchema,
  WriteExtentsRequest,
  WriteExtentsRequestSchema,
} from './gen/icecore/v1/agent_pb.ts'
import { grantedLease } from './freeze-order-message.ts'
import { identitiesFromMessages, identityToMessage, sectorSizeFrom } from './identity-message.ts'
import { bytesFrom, numberFrom, textFrom } from './wire-values.ts'

export function targetToMessage(target: TargetOfAgent): MessageInitShape<typeof OpenTargetResponseSchema> {
  return {
    ...target,
    sizeBytes: BigInt(target.sizeBytes),
    devices: target.devices.map(identityToMessage),
  }
}

export function targetFromMessage(message: OpenTargetResponse, askedSeconds: number): TargetOfAgent {
  return {
    targetId: textFrom(message.targetId, 'target_id'),
    sizeBytes: numberFrom(message.sizeBytes, 'size_bytes'),
    sectorSizeBytes: sectorSizeFrom(message.sectorSizeBytes),
    epoch: textFrom(message.epoch, 'epoch'),
    devices: identitiesFromMessages(message.devices),
    leaseSeconds: grantedLease(message.leaseSeconds, askedSeconds),
  }
}

export function pieceToMessage(
  targetId: string,
  piece: PieceToWrite,
): MessageInitShape<typeof WriteExtentsRequestSchema> {
  const place = { targetId, byteOffset: BigInt(piece.offset) }
  return piece.kind === 'zero'
    ? { ...place, content: { case: 'zeroBytes', value: BigInt(piece.length) } }
    : { ...place, content: { case: 'data', value: piece.bytes } }
}

/** Throws SyntaxError for one that is empty, too large, or ends beyond what can be counted. */
export function pieceFromMessage(message: WriteExtentsRequest): PieceToWrite {
  const offset = numberFrom(message.byteOffset, 'byte_offset')
  const { content } = message
  if (content.case === 'data') {
    const bytes = bytesFrom(content.value, 'data', PIECE_BYTES_MAX)
    requireEnd(offset, bytes.byteLength)
    return { kind: 'data', offset, bytes }
  }
  if (content.case !== 'zeroBytes') throw new SyntaxError('content is missing, expected data or zero_bytes')
  const length = numberFrom(content.value, 'zero_bytes')
  requireEnd(offset, length)
  return { kind: 'zero', offset, length }
}

function requireEnd(offset: number, length: number): void {
  if (length >= 1 && Number.isSafeInteger(offset + length)) return
  throw new SyntaxError(`a piece is ${offset}+${length}, expected at least 1 byte`)
}
