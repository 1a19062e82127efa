import { createSecureServer, type Http2SecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createConnectRouter } from '@connectrpc/connect'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { type Clock, systemClock } from '../domain/clock.ts'
import type { AgentApi } from './agent-api.ts'
import { agentRoutes } from './agent-routes.ts'
import { callHandler } from './call-handler.ts'
import type { FinishedCall } from './call-record.ts'
import { ServerReflection } from './gen/grpc/reflection/v1/reflection_pb.ts'
import { AgentService } from './gen/icecore/v1/agent_pb.ts'
import { listenAt } from './listen-at.ts'
import { OpenSessions } from './open-sessions.ts'
import { tellRefused } from './refused-connection.ts'
import { reflectionRoutes } from './reflection.ts'
import type { TlsMaterial } from './tls-material.ts'
import { tlsOptions } from './tls-options.ts'
import { MESSAGE_BYTES_MAX } from './wire-limits.ts'

export type AgentServer = AsyncDisposable & {
  readonly port: number
  /** New connections see `tls`; calls under way go on, but for those of a peer that is now revoked. */
  replaceTls(tls: TlsMaterial): void
}

/** A connection that ended before it had a peer: no certificate, a stranger's, an expired or a revoked one, no TLS. */
export type RefusedConnection = { readonly address: string; readonly reason: string }

export type ServedAgent = {
  readonly api: AgentApi
  readonly tls: TlsMaterial
  readonly listen: { readonly host: string; readonly port: number }
  readonly onCall: (call: FinishedCall) => void
  readonly onRefused?: (connection: RefusedConnection) => void
  readonly clock?: Clock
}

/** Movers of one agent, with some for people who look. */
const CONNECTIONS_MAX = 64
const STREAMS_MAX = 64
const HEADERS_MAX = 64
const HEADER_BYTES_MAX = 16 * 1024
const HANDSHAKE_MS = 10_000
/** What nghttp2 may hold for one connection, in MB. */
const SESSION_MEMORY_MB = 16
/** What a peer may send of a stream before it is read: a piece. */
const STREAM_WINDOW_BYTES = 1024 * 1024

/** Answers movers. Throws CONNECTION_FAILED when it cannot listen there. */
export async function serveAgent(parts: ServedAgent): Promise<AgentServer> {
  const clock = parts.clock ?? systemClock
  const stopping = new AbortController()
  const server = createSecureServer({
    ...tlsOptions(parts.tls),
    requestCert: true,
    rejectUnauthorized: true,
    allowHTTP1: false,
    handshakeTimeout: HANDSHAKE_MS,
    maxSessionMemory: SESSION_MEMORY_MB,
    maxHeaderListPairs: HEADERS_MAX,
    settings: {
      maxConcurrentStreams: STREAMS_MAX,
      maxHeaderListSize: HEADER_BYTES_MAX,
      initialWindowSize: STREAM_WINDOW_BYTES,
      enablePush: false,
    },
  })
  server.maxConnections = CONNECTIONS_MAX
  const sessions = new OpenSessions(server, { clock, tls: parts.tls })
  const router = createConnectRouter({
    readMaxBytes: MESSAGE_BYTES_MAX,
    writeMaxBytes: MESSAGE_BYTES_MAX,
    acceptCompression: [],
    shutdownSignal: stopping.signal,
    requestGate: (context) => sessions.requireMover(context),
  })
    .service(AgentService, agentRoutes(parts.api))
    .service(ServerReflection, reflectionRoutes([AgentService, ServerReflection]))
  server.on('request', callHandler(router, { clock, sessions, onCall: parts.onCall }))
  tellRefused(server, (connection) => parts.onRefused?.(connection))
  await listenAt(server, parts.listen, 'Cannot listen on')
  return {
    port: portOf(server),
    replaceTls(tls) {
      server.setSecureContext(tlsOptions(tls))
      sessions.replaceTls(tls)
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new BackupError(ErrorCode.AgentRefused, 'Cannot finish the call: the agent is stopping'))
      await sessions.close()
      await closed(server)
    },
  }
}

function portOf(server: Http2SecureServer): number {
  const address: AddressInfo | string | null = server.address()
  if (typeof address === 'object' && address !== null) return address.port
  throw new Error('A server that listens has a port')
}

async function closed(server: Http2SecureServer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  await promise
}
