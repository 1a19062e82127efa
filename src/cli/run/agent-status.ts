import { localStatus, type LocalStatus } from '../../agent/local-status.ts'
import { agentStateFolder } from '../../host/agent-state-folder.ts'
import type { AGENT_STATUS } from '../commands/agent-status.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { formatLocalTime } from '../local-time.ts'
import { shortId } from '../short-id.ts'
import { renderTable } from '../table.ts'

export async function runAgentStatus(invocation: InvocationOf<typeof AGENT_STATUS>): Promise<CommandResult> {
  const { options, settings, signal, terminal } = invocation
  const folder = options.folder ?? settings.agentFolder
  const status = await localStatus(
    { ...invocation, folder, stateFolder: agentStateFolder(process.env) },
    signal,
  )
  const { paint } = terminal.output
  const bold = (title: string): string => paint('bold', title)
  return {
    json: statusJson(status),
    text: () => [summaryOf(status, bold), ...heldOf(status, bold), ...callsOf(status, bold)].join('\n\n'),
    exitCode: ExitCode.Done,
  }
}

function summaryOf(
  { folder, certificate, configuration, trouble }: LocalStatus,
  bold: (text: string) => string,
): string {
  const lines = [`${bold('Agent')} ${certificate?.name ?? '(not enrolled)'}, in ${folder}`]
  if (certificate !== null) lines.push(`Certificate good until ${local(certificate.endsAtMs)}`)
  if (configuration !== null) {
    const { host, port } = configuration.listen
    lines.push(`Listens on ${host} port ${port}`)
    for (const { pattern, mayRestore } of configuration.sources) {
      lines.push(`May be frozen${mayRestore ? ' and written to' : ''}: ${pattern}`)
    }
  }
  return [...lines, ...trouble].join('\n')
}

function heldOf({ held }: LocalStatus, bold: (text: string) => string): string[] {
  if (held.length === 0) return ['No frozen image is held here']
  const columns = [
    { title: 'IMAGE' },
    { title: 'PROVIDER' },
    { title: 'OF' },
    { title: 'FOR' },
    { title: 'SINCE' },
  ]
  const rows = held.map(({ label, provider, source, basePointId, createdAtMs }) => [
    label,
    provider,
    source,
    basePointId === null ? 'a run' : `point ${shortId(basePointId)}`,
    local(createdAtMs),
  ])
  return [renderTable(columns, rows, bold)]
}

function callsOf({ calls }: LocalStatus, bold: (text: string) => string): string[] {
  if (calls.length === 0) return []
  const columns = [
    { title: 'TIME' },
    { title: 'FROM' },
    { title: 'CALL' },
    { title: 'OUTCOME' },
    { title: 'ABOUT' },
  ]
  const rows = calls.map(({ time, peer, method, outcome, failure, about }) => [
    formatLocalTime(time),
    peer ?? '-',
    method,
    outcome,
    failure ?? about,
  ])
  return [renderTable(columns, rows, bold)]
}

function statusJson({ folder, certificate, configuration, trouble, held, calls }: LocalStatus): unknown {
  return {
    folder,
    name: certificate?.name ?? null,
    certificateEndsAt: certificate === null ? null : instant(certificate.endsAtMs),
    listen: configuration?.listen ?? null,
    sources: configuration?.sources ?? [],
    held: held.map(({ createdAtMs, ...image }) => ({ ...image, createdAt: instant(createdAtMs) })),
    calls,
    trouble,
  }
}

function instant(ms: number): string {
  return Temporal.Instant.fromEpochMilliseconds(ms).toString()
}

function local(ms: number): string {
  return formatLocalTime(instant(ms))
}
