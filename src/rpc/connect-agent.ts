import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { AgentApi } from './agent-api.ts'
import { AgentCalls } from './agent-calls.ts'
import { agentClient } from './agent-client.ts'
import { AgentSession } from './agent-session.ts'
import { canonicalHost } from './host-name.ts'
import { Outage } from './outage.ts'
import { PATIENCE, type Patience } from './patience.ts'
import type { TlsMaterial, TlsSource } from './tls-material.ts'

const PORT_MAX = 65_535

export type AgentConnection = AgentApi &
  AsyncDisposable & {
    /** When the certificate ends that the agent shows: what nobody has to ask it. */
    certificateEndsAtMs(signal: AbortSignal): Promise<number>
    /** Resolves when what is asked next is with the agent, which works at it from then on; never, when it does not come there. */
    nextArrival(): Promise<void>
  }

/** Speaks with the agent on `host`; the connection is made when it is first asked. Throws USAGE_WRONG for what is no host. */
export function connectAgent(parts: {
  readonly host: string
  readonly port: number
  /** Asked with every connection that is made, where it may be another one by then. */
  readonly tls: TlsMaterial | TlsSource
  readonly patience?: Partial<Patience>
}): AgentConnection {
  const { port, tls } = parts
  const host = canonicalHost(parts.host)
  if (!Number.isInteger(port) || port < 1 || port > PORT_MAX) {
    const message = `Cannot use port ${port} of "${host}": expected 1 to ${PORT_MAX}`
    throw new BackupError(ErrorCode.UsageWrong, message)
  }
  const patience = { ...PATIENCE, ...parts.patience }
  const outage = new Outage(patience)
  const source = typeof tls === 'function' ? tls : () => Promise.resolve(tls)
  const session = new AgentSession({ address: { host, port }, tls: source, patience, outage })
  const calls = new AgentCalls(session, { agent: `${host}:${port}`, patience, outage })
  return {
    ...agentClient(calls),
    certificateEndsAtMs: (signal) => calls.peerEndsAtMs(signal),
    nextArrival: () => session.nextArrival(),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}
