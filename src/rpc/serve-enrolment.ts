import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { Code, type ConnectRouter } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { errorToWire, refusal } from './error-to-wire.ts'
import { EnrolmentService } from './gen/icecore/v1/enrolment_pb.ts'
import type { Invitation } from './invitation.ts'
import { listenAt } from './listen-at.ts'
import type { TlsMaterial } from './tls-material.ts'
import { tlsOptions } from './tls-options.ts'

export type EnrolmentServer = AsyncDisposable & { readonly port: number }

export type ServedEnrolment = {
  readonly invitation: Invitation
  /** Of the mover, for being connected to. */
  readonly tls: TlsMaterial
  readonly listen: { readonly host: string; readonly port: number }
  readonly issue: (signingRequest: Uint8Array) => Promise<{
    readonly certificate: Uint8Array
    readonly revoked: Uint8Array
  }>
  /** Called when the answer was handed over to the network, or when it could not be. */
  readonly onTaken: (isAnswered: boolean) => void
  readonly onRefused: (refused: { readonly address: string; readonly error: Error }) => void
}

/** Two binary fields of some hundred bytes. */
const MESSAGE_BYTES_MAX = 16 * 1024
const CONNECTIONS_MAX = 16
const TIMEOUT_MS = 10_000

/** Answers whoever was invited. Throws CONNECTION_FAILED when it cannot listen there. */
export async function serveEnrolment(parts: ServedEnrolment): Promise<EnrolmentServer> {
  const { tls } = parts
  const server = createServer({
    ...tlsOptions({ ...tls, revoked: null }),
    // The agent has no authority yet, only its fingerprint: it is shown.
    cert: `${tls.certificate}\n${tls.authority}`,
    handshakeTimeout: TIMEOUT_MS,
    headersTimeout: TIMEOUT_MS,
    requestTimeout: TIMEOUT_MS,
    keepAliveTimeout: TIMEOUT_MS,
    connectionsCheckingInterval: 1000,
    maxHeaderSize: 8192,
  })
  server.maxConnections = CONNECTIONS_MAX
  server.on('request', (request, response) => answer(parts, request, response))
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  await listenAt(server, parts.listen, 'Cannot listen for agents on')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : parts.listen.port,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      server.closeIdleConnections()
      // Whoever is in the middle of something has nothing to wait for any more.
      const timer = setTimeout(() => server.closeAllConnections(), 1000)
      await closed.promise
      clearTimeout(timer)
    },
  }
}

function answer(parts: ServedEnrolment, request: IncomingMessage, response: ServerResponse): void {
  const address = request.socket.remoteAddress ?? 'unknown'
  // One question for each connection: then it is over when it was answered.
  response.setHeader('Connection', 'close')
  const routes = (router: ConnectRouter): void => {
    router.service(EnrolmentService, {
      enroll: async ({ signingRequest, proof }) => {
        try {
          const issued = await parts.invitation.take({ signingRequest, proof }, parts.issue)
          response.once('close', () => parts.onTaken(response.writableFinished))
          return { certificate: issued.certificate, revoked: issued.revoked }
        } catch (error) {
          parts.onRefused({ address, error: error instanceof Error ? error : new Error(String(error)) })
          if (!(error instanceof BackupError)) throw errorToWire(error)
          const isRefused = error.code === ErrorCode.EnrolmentRefused
          throw refusal(error, isRefused ? Code.PermissionDenied : Code.InvalidArgument)
        }
      },
    })
  }
  connectNodeAdapter({
    routes,
    readMaxBytes: MESSAGE_BYTES_MAX,
    writeMaxBytes: 2 * 1024 * 1024,
    acceptCompression: [],
  })(request, response)
}
