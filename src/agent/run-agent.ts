import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../domain/clock.ts'
import { isBackupError } from '../domain/backup-error.ts'
import type { Randomness } from '../domain/randomness.ts'
import { installCertificate, readAgentTls, signingRequestOf } from '../host/agent-folder.ts'
import { hostLvm } from '../linux/lvm/lvm-tools.ts'
import { notifySystemd } from '../linux/notify-systemd.ts'
import type { FinishedCall } from '../rpc/call-record.ts'
import { serveAgent, type AgentServer } from '../rpc/serve-agent.ts'
import type { TlsMaterial } from '../rpc/tls-material.ts'
import { readAgentConfiguration, type AgentConfiguration } from './agent-configuration.ts'
import { agentHost, type AgentCertificates } from './agent-host.ts'
import { matches } from './allowed-source.ts'
import { AuditLog, type AuditLine } from './audit-log.ts'
import { CallNotes } from './call-notes.ts'
import { FewLines } from './few-lines.ts'
import { releaseAbandoned } from './release-abandoned.ts'
import { Targets } from './targets.ts'

export type RunAgentParts = {
  /** The agent's own: key, certificate, `agent.yaml`. */
  readonly folder: string
  /** Where it writes its logs. */
  readonly stateFolder: string
  readonly version: string
  readonly clock: Clock
  readonly randomness: Randomness
  /** Ends it, in order. */
  readonly signal: AbortSignal
  /** For people: the system's log, a terminal. */
  readonly notice: (message: string) => void
  /** Calls `reload` whenever the configuration and the certificate are to be read anew. */
  readonly onReload: (reload: () => void) => Disposable
  readonly onListening?: (at: { readonly host: string; readonly port: number }) => void
}

/** Serves movers until `signal`, then releases what their runs hold; bases stay. */
export async function runAgent(parts: RunAgentParts): Promise<void> {
  const { folder, stateFolder, clock, randomness, signal, notice, version } = parts
  let configuration = await readAgentConfiguration(folder)
  const certificates = new Certificates(folder, await readAgentTls(folder), clock)
  await using stack = new AsyncDisposableStack()
  const audit = stack.use(new AuditLog(stateFolder))
  const notes = stack.use(new CallNotes(audit))
  await releaseAbandoned(parts, signal)
  const mayRestore = (path: string): boolean => mayRestoreTo(configuration, path)
  const host = stack.use(
    agentHost({
      clock,
      randomness,
      version,
      notice,
      certificates,
      configuration: () => configuration,
      beforeChange: () => audit.requireWritable(),
      watchdogLog: join(stateFolder, 'watchdog.log'),
      targets: new Targets({ tools: hostLvm, randomness, mayRestore }),
    }),
  )
  const refusals = new FewLines()
  const server = stack.use(
    await serveAgent({
      api: host,
      tls: certificates.tls,
      listen: configuration.listen,
      onCall: (call) => notes.note(lineOf(call)),
      onRefused: (connection) => {
        if (refusals.isAllowed(performance.now())) audit.write(refusalLine(connection, clock))
      },
      clock,
    }),
  )
  certificates.server = server
  const reload = async (): Promise<void> => {
    const next = await readAgentConfiguration(folder)
    if (next.listen.host !== configuration.listen.host || next.listen.port !== configuration.listen.port) {
      notice('The address to listen on has changed in agent.yaml: it counts after a restart')
    }
    configuration = next
    certificates.replace(await readAgentTls(folder))
    notice('Read agent.yaml and the certificate anew')
  }
  using _reloading = parts.onReload(() => {
    reload().catch((error: unknown) => {
      if (!isBackupError(error)) throw error
      notice(`${error.message}; what was read before still counts`)
    })
  })
  const { host: address } = configuration.listen
  notice(`Listening on ${address} port ${server.port}`)
  parts.onListening?.({ host: address, port: server.port })
  await notifySystemd('--ready', process.env)
  await aborted(signal)
  notice('Stopping: what runs hold is released, bases stay')
  await notifySystemd('--stopping', process.env)
}

function mayRestoreTo({ sources }: AgentConfiguration, path: string): boolean {
  return sources.some(({ pattern, mayRestore }) => mayRestore && matches(pattern, path))
}

/** What the agent shows to movers, which they renew. */
class Certificates implements AgentCertificates {
  readonly #folder: string
  readonly #clock: Clock
  tls: TlsMaterial
  server: AgentServer | null = null

  constructor(folder: string, tls: TlsMaterial, clock: Clock) {
    this.#folder = folder
    this.#clock = clock
    this.tls = tls
  }

  endsAtMs(): number {
    return new X509Certificate(this.tls.certificate).validToDate.getTime()
  }

  async signingRequest(): Promise<Uint8Array> {
    return await signingRequestOf(this.#folder)
  }

  async installCertificate(issued: Parameters<AgentCertificates['installCertificate']>[0]): Promise<void> {
    this.replace(await installCertificate(this.#folder, issued, this.#clock))
  }

  /** Connections are made anew for it: not for one that is the same. */
  replace(tls: TlsMaterial): void {
    if (isDeepStrictEqual(tls, this.tls)) return
    this.tls = tls
    this.server?.replaceTls(tls)
  }
}

function lineOf({ method, peer, startedAtMs, durationMs, failure, about }: FinishedCall): AuditLine {
  return {
    time: Temporal.Instant.fromEpochMilliseconds(startedAtMs).toString(),
    method: method.split('/').at(-1) ?? method,
    peer: peer.name,
    serial: peer.serial,
    about,
    outcome: failure === null ? 'done' : 'failed',
    failure,
    durationMs: Math.ceil(durationMs),
  }
}

/** Somebody who is no mover of ours knocked. */
function refusalLine(
  { address, reason }: { readonly address: string; readonly reason: string },
  clock: Clock,
): AuditLine {
  return {
    time: Temporal.Instant.fromEpochMilliseconds(clock.now().getTime()).toString(),
    method: 'connect',
    peer: null,
    serial: null,
    about: address.slice(0, 100),
    outcome: 'failed',
    failure: reason.slice(0, 500),
    durationMs: 0,
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  // An open server keeps the process running; so does this, if nothing else does.
  await promise
}
