import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { PROVIDER_NAMES, type ProviderChoice } from '../host/provider-name.ts'
import type { FreezeOrder } from '../rpc/agent-api.ts'

const SOURCES_MAX = 64
const LINEAGE_LENGTH_MAX = 4096

export type CheckedOrder = Omit<FreezeOrder, 'provider'> & { readonly provider: ProviderChoice }

/** An order as it can be meant, with the lease that is granted. Throws USAGE_WRONG. */
export function checkOrder(order: FreezeOrder, leaseSecondsMax: number): CheckedOrder {
  const { sources, lineage, lineageKey, basePointId, provider } = order
  if (sources.length === 0 || sources.length > SOURCES_MAX) {
    throw wrong(`it names ${sources.length} sources, required are 1 to ${SOURCES_MAX}`)
  }
  if (new Set(sources).size < sources.length) throw wrong('it names a source twice')
  // It becomes a variable of the hooks' environment.
  if (lineage.length > LINEAGE_LENGTH_MAX || lineage.includes('\0')) throw wrong('its lineage is no name')
  if (!/^[0-9a-f]{32}$/.test(lineageKey)) throw wrong('its lineage key is not 32 hexadecimal digits')
  if (basePointId !== null) requirePointId(basePointId)
  const leaseSeconds = grantedLease(order.leaseSeconds, leaseSecondsMax)
  const choice = PROVIDER_NAMES.find((name) => name === provider)
  if (choice === undefined || choice === 'nbd') {
    throw wrong(`it asks for provider "${provider.slice(0, 100)}", which is none of an agent`)
  }
  return { ...order, leaseSeconds, provider: choice }
}

export function requirePointId(pointId: string): void {
  if (!/^[0-9a-f]{64}$/.test(pointId)) throw wrong('its point id is not 64 hexadecimal digits')
}

/** What is asked for, or as much of it as the agent's configuration allows. */
export function grantedLease(seconds: number, secondsMax: number): number {
  if (Number.isSafeInteger(seconds) && seconds >= 1) return Math.min(seconds, secondsMax)
  throw wrong(`it asks for a lease of ${seconds} s, required is at least 1 s`)
}

function wrong(found: string): BackupError {
  return new BackupError(ErrorCode.UsageWrong, `Cannot answer the request: ${found}`)
}
