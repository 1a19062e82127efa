import type { AgentApi } from '../../src/rpc/agent-api.ts'
import type { FinishedCall } from '../../src/rpc/call-record.ts'
import { type AgentConnection, connectAgent } from '../../src/rpc/connect-agent.ts'
import type { Patience } from '../../src/rpc/patience.ts'
import { type AgentServer, type RefusedConnection, serveAgent } from '../../src/rpc/serve-agent.ts'
import { BreakingProxy } from './breaking-proxy.ts'
import { type TestAuthority, testAuthority } from './rpc-certificates.ts'
import { scriptedAgent } from './scripted-agent.ts'

/** An agent that does what the test says, and a mover that is connected to it over a network that can break. */
export type AgentPair = AsyncDisposable & {
  readonly authority: TestAuthority
  readonly server: AgentServer
  readonly proxy: BreakingProxy
  readonly agent: AgentConnection
  readonly calls: readonly FinishedCall[]
  readonly refused: readonly RefusedConnection[]
}

/** Tests do not wait as long as people do. */
const SHORT: Partial<Patience> = { resumeDelayMs: 5 }

export async function agentPair(
  script: Partial<AgentApi>,
  patience: Partial<Patience> = {},
): Promise<AgentPair> {
  const authority = testAuthority()
  const calls: FinishedCall[] = []
  const refused: RefusedConnection[] = []
  const server = await serveAgent({
    api: scriptedAgent(script),
    tls: authority.issue({ role: 'agent' }),
    listen: { host: '127.0.0.1', port: 0 },
    onCall: (call) => calls.push(call),
    onRefused: (connection) => refused.push(connection),
  })
  const proxy = await BreakingProxy.before(server.port)
  const tls = authority.issue({ role: 'mover' })
  const agent = connectAgent({
    host: '127.0.0.1',
    port: proxy.port,
    tls,
    patience: { ...SHORT, ...patience },
  })
  return {
    authority,
    server,
    proxy,
    agent,
    calls,
    refused,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** For calls that nobody cancels. */
export const NEVER: AbortSignal = new AbortController().signal

/** Everything that a stream gives. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
