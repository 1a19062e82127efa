import type { MessageInitShape } from '@bufbuild/protobuf'
import type { FreezeOrder } from './agent-api.ts'
import type { FreezeRequest, FreezeRequestSchema } from './gen/icecore/v1/agent_pb.ts'
import { LEASE_SECONDS_MAX } from './wire-limits.ts'
import { integerFrom, listFrom, optionalText, textFrom } from './wire-values.ts'

export function freezeOrderToMessage(order: FreezeOrder): MessageInitShape<typeof FreezeRequestSchema> {
  return { ...order, sources: [...order.sources], basePointId: order.basePointId ?? '' }
}

export function freezeOrderFromMessage(message: FreezeRequest): FreezeOrder {
  const sources = listFrom(message.sources, 'sources').map((source) => textFrom(source, 'a source'))
  if (sources.length === 0) throw new SyntaxError('sources is empty, expected at least one')
  if (!/^[0-9a-f]{32}$/.test(message.lineageKey)) {
    throw new SyntaxError('lineage_key is not what it should be, expected 32 hexadecimal digits')
  }
  return {
    sources,
    lineage: textFrom(message.lineage, 'lineage'),
    lineageKey: message.lineageKey,
    leaseSeconds: leaseFrom(message.leaseSeconds),
    provider: textFrom(message.provider, 'provider'),
    basePointId: optionalText(message.basePointId, 'base_point_id'),
  }
}

/** What an agent granted; one that does not say grants what was asked for. */
export function grantedLease(seconds: number, askedSeconds: number): number {
  if (seconds === 0) return askedSeconds
  return integerFrom(seconds, 'lease_seconds', { min: 1, max: askedSeconds })
}

export function leaseFrom(seconds: number): number {
  return integerFrom(seconds, 'lease_seconds', { min: 1, max: LEASE_SECONDS_MAX })
}
