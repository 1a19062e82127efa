import { createSecureServer } from 'node:http2'
import type { ServiceImpl } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { type AgentConnection, connectAgent } from '../../src/rpc/connect-agent.ts'
import { AgentService } from '../../src/rpc/gen/icecore/v1/agent_pb.ts'
import { tlsOptions } from '../../src/rpc/tls-options.ts'
import { testAuthority } from './rpc-certificates.ts'

/** A server that says whatever the test wants, without the checks and limits of ours, and a mover connected to it. */
export async function rawAgent(
  service: Partial<ServiceImpl<typeof AgentService>>,
): Promise<AsyncDisposable & { readonly agent: AgentConnection }> {
  const authority = testAuthority()
  const handler = connectNodeAdapter({ routes: (router) => void router.service(AgentService, service) })
  const server = createSecureServer(tlsOptions(authority.issue({ role: 'agent' })), handler)
  server.on('sessionError', () => {})
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('It listens')
  const agent = connectAgent({
    host: '127.0.0.1',
    port: address.port,
    tls: authority.issue({ role: 'mover' }),
    patience: { resumeDelayMs: 1 },
  })
  return {
    agent,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]()
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      await closed.promise
    },
  }
}
