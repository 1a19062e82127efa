import type { AuditLine } from '../agent/audit-log.ts'
import type { AllowedSource, HeldByAgent } from '../rpc/agent-api.ts'
import { ExitCode } from './exit-code.ts'
import type { CommandResult } from './invocation.ts'
import { formatLocalTime } from './local-time.ts'
import { shortId } from './short-id.ts'
import { renderTable } from './table.ts'

/** What is known of an agent, wherever it was asked for. */
export type KnownOfAgent = {
  readonly name: string | null
  /** Its folder on this host, or where it was reached. */
  readonly place: string
  readonly version: string | null
  readonly listen: { readonly host: string; readonly port: number } | null
  readonly certificateEndsAtMs: number | null
  readonly sources: readonly AllowedSource[]
  readonly held: readonly HeldByAgent[]
  /** Null where they were not asked for. */
  readonly calls: readonly AuditLine[] | null
  readonly trouble: readonly string[]
}

type Paint = (title: string) => string

export function agentStatusReport(known: KnownOfAgent, bold: Paint): CommandResult {
  return {
    json: statusJson(known),
    text: () => [summaryOf(known, bold), heldOf(known, bold), ...callsOf(known, bold)].join('\n\n'),
    exitCode: ExitCode.Done,
  }
}

function summaryOf(known: KnownOfAgent, bold: Paint): string {
  const { name, place, version, listen, certificateEndsAtMs, sources, trouble } = known
  const lines = [`${bold('Agent')} ${name ?? '(not enrolled)'}, ${place}`]
  if (version !== null) lines.push(`Version ${version}`)
  if (certificateEndsAtMs !== null) lines.push(`Certificate good until ${local(certificateEndsAtMs)}`)
  if (listen !== null) lines.push(`Listens on ${listen.host} port ${listen.port}`)
  for (const { pattern, mayRestore } of sources) {
    lines.push(`May be frozen${mayRestore ? ' and written to' : ''}: ${pattern}`)
  }
  return [...lines, ...trouble].join('\n')
}

const HELD_COLUMNS = ['IMAGE', 'PROVIDER', 'OF', 'FOR', 'SINCE'].map((title) => ({ title }))

function heldOf({ held }: KnownOfAgent, bold: Paint): string {
  if (held.length === 0) return 'No frozen image is held there'
  const rows = held.map(({ label, provider, source, basePointId, createdAtMs }) => [
    label,
    provider,
    source,
    basePointId === null ? 'a run' : `point ${shortId(basePointId)}`,
    local(createdAtMs),
  ])
  return renderTable(HELD_COLUMNS, rows, bold)
}

const CALL_COLUMNS = ['TIME', 'FROM', 'CALL', 'OUTCOME', 'ABOUT'].map((title) => ({ title }))

function callsOf({ calls }: KnownOfAgent, bold: Paint): string[] {
  if (calls === null || calls.length === 0) return []
  const rows = calls.map(({ time, peer, method, outcome, failure, about }) => [
    formatLocalTime(time),
    peer ?? '-',
    method,
    outcome,
    failure ?? about,
  ])
  return [renderTable(CALL_COLUMNS, rows, bold)]
}

function statusJson({ certificateEndsAtMs, held, ...known }: KnownOfAgent): unknown {
  return {
    ...known,
    certificateEndsAt: certificateEndsAtMs === null ? null : instant(certificateEndsAtMs),
    held: held.map(({ createdAtMs, ...image }) => ({ ...image, createdAt: instant(createdAtMs) })),
  }
}

function instant(ms: number): string {
  return Temporal.Instant.fromEpochMilliseconds(ms).toString()
}

function local(ms: number): string {
  return formatLocalTime(instant(ms))
}
