import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { createServer } from 'node:tls'
import { NEVER } from '../../test/support/agent-pair.ts'
import { testAuthority } from '../../test/support/rpc-certificates.ts'
import { ErrorCode } from '../domain/backup-error.ts'
import { connectAgent } from './connect-agent.ts'
import { tlsOptions } from './tls-options.ts'

test('connectAgent() says what a connection may mean that is reset right behind the handshake', async () => {
  const authority = testAuthority()
  const server = createServer({ ...tlsOptions(authority.issue({ role: 'agent' })), ALPNProtocols: ['h2'] })
  let below: Socket | null = null
  server.on('connection', (socket: Socket) => (below = socket))
  server.on('secureConnection', () => below?.resetAndDestroy())
  server.on('tlsClientError', () => {})
  await once(server.listen(0, '127.0.0.1'), 'listening')
  try {
    const address = server.address()
    assert.ok(address !== null && typeof address === 'object')
    const tls = authority.issue({ role: 'mover' })
    await using agent = connectAgent({ host: '127.0.0.1', port: address.port, tls })
    await assert.rejects(agent.listSources(NEVER), {
      code: ErrorCode.ConnectionFailed,
      message: /certificate is revoked, has ended, is of another authority, or clocks differ/,
    })
  } finally {
    server.close()
  }
})
