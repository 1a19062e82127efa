import { ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import { openExistingAuthority, type AuthorityFolder } from '../../host/authority-folder.ts'
import { MoverTls } from '../../host/mover-tls.ts'
import type { AgentLink } from '../../lane/lane-messages.ts'
import { connectAgent, type AgentConnection } from '../../rpc/connect-agent.ts'
import type { Invocation } from '../invocation.ts'
import type { AgentAddress } from './agent-address.ts'

export type LinkedAgent = AsyncDisposable & {
  readonly agent: AgentConnection
  readonly link: AgentLink
}

type ConnectParts = Pick<Invocation, 'clock' | 'randomness' | 'progress' | 'signal'> & {
  readonly authorityFolder: string
}

/** Connects as the mover of this authority, and brings the agent a new certificate when it needs one. */
export async function connectToAgent(parts: ConnectParts, address: AgentAddress): Promise<LinkedAgent> {
  const authority = await openExistingAuthority(parts.authorityFolder, parts)
  if (authority.endsSoon !== null) parts.progress({ event: 'notice', message: authority.endsSoon })
  await using stack = new AsyncDisposableStack()
  const tls = stack.use(await MoverTls.make(authority, parts.clock))
  const agent = stack.use(connectAgent({ ...address, tls: () => tls.fresh() }))
  await renew(parts, authority, { agent, host: address.host })
  const held = stack.move()
  return {
    agent,
    link: { ...address, tls: tls.shared.memory },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** A certificate that is not renewed yet is still good: the run does not fail for it, unless nobody is there. */
async function renew(
  { progress, signal }: ConnectParts,
  authority: AuthorityFolder,
  { agent, host }: { readonly agent: AgentConnection; readonly host: string },
): Promise<void> {
  try {
    await authority.renewIfDue(agent, host, signal)
  } catch (error) {
    if (!isBackupError(error) || error.code === ErrorCode.ConnectionFailed) throw error
    progress({ event: 'notice', message: `The agent's certificate was not renewed: ${error.message}` })
  }
}
