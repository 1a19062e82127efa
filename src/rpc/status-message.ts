import type { MessageInitShape } from '@bufbuild/protobuf'
import type { AgentStatus, AllowedSource, HeldByAgent } from './agent-api.ts'
import type {
  GetStatusResponse,
  GetStatusResponseSchema,
  HeldImage,
  HeldImageSchema,
  ListSourcesResponse,
} from './gen/icecore/v1/agent_pb.ts'
import { identitiesFromMessages, identityToMessage } from './identity-message.ts'
import { listFrom, numberFrom, optionalNumber, optionalText, textFrom } from './wire-values.ts'

export function statusToMessage(status: AgentStatus): MessageInitShape<typeof GetStatusResponseSchema> {
  return {
    version: status.version,
    host: status.host,
    nowMs: BigInt(Math.trunc(status.nowMs)),
    certificateEndsAtMs: BigInt(Math.trunc(status.certificateEndsAtMs)),
    held: status.held.map(heldToMessage),
    disks: status.disks.map(identityToMessage),
  }
}

export function statusFromMessage(message: GetStatusResponse): AgentStatus {
  return {
    version: textFrom(message.version, 'version'),
    host: textFrom(message.host, 'host'),
    nowMs: numberFrom(message.nowMs, 'now_ms'),
    certificateEndsAtMs: numberFrom(message.certificateEndsAtMs, 'certificate_ends_at_ms'),
    held: listFrom(message.held, 'held').map(heldFromMessage),
    disks: identitiesFromMessages(message.disks),
  }
}

function heldToMessage(held: HeldByAgent): MessageInitShape<typeof HeldImageSchema> {
  return {
    id: held.id,
    label: held.label,
    source: held.source,
    provider: held.provider,
    createdAtMs: BigInt(Math.trunc(held.createdAtMs)),
    basePointId: held.basePointId ?? '',
    ...(held.heldBytes === null ? {} : { heldBytes: BigInt(held.heldBytes) }),
  }
}

function heldFromMessage(message: HeldImage): HeldByAgent {
  return {
    id: textFrom(message.id, 'id'),
    label: optionalText(message.label, 'label') ?? '',
    source: textFrom(message.source, 'source'),
    provider: textFrom(message.provider, 'provider'),
    createdAtMs: numberFrom(message.createdAtMs, 'created_at_ms'),
    basePointId: optionalText(message.basePointId, 'base_point_id'),
    heldBytes: optionalNumber(message.heldBytes, 'held_bytes'),
  }
}

export function sourcesFromMessage(message: ListSourcesResponse): readonly AllowedSource[] {
  return listFrom(message.sources, 'sources').map((source) => ({
    pattern: textFrom(source.pattern, 'pattern'),
    mayRestore: source.mayRestore,
  }))
}
