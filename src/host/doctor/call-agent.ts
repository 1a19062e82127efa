import type { X509Certificate } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { errnoOf } from '../../domain/errno.ts'
import type { TlsMaterial } from '../../rpc/tls-material.ts'
import { tlsOptions } from '../../rpc/tls-options.ts'
import type { StepFacts } from './contact-check.ts'

export type AgentPlace = { readonly host: string; readonly port: number }

const PATIENCE_MS = 20_000

/** What the name service says of a host. */
export async function resolveName(host: string): Promise<StepFacts> {
  try {
    const addresses = (await lookup(host, { all: true })).map(({ address }) => address)
    if (isIP(host) !== 0) return { found: `${host} is an address` }
    return { found: `${host} is ${addresses.join(', ')}` }
  } catch (error) {
    return { failure: `"${host}" cannot be resolved: ${reasonOf(error)}` }
  }
}

/** Whether anything takes a connection there. */
export async function reachPort({ host, port }: AgentPlace, signal: AbortSignal): Promise<StepFacts> {
  try {
    using socket = await opened(connect({ host, port }), 'connect', signal)
    return { found: `Port ${port} takes connections at ${socket.remoteAddress ?? host}` }
  } catch (error) {
    signal.throwIfAborted()
    return { failure: `Port ${port} of ${host} takes no connection: ${reasonOf(error)}` }
  }
}

/** What who answers shows, believed or not. */
export type Shown =
  | { readonly kind: 'certificate'; readonly certificate: X509Certificate; readonly isRevoked: boolean }
  | { readonly kind: 'none'; readonly failure: string }

/** The certificate of whoever answers there: to be looked at, not to be believed. Nothing is said to it. */
export async function seeCertificate(
  { host, port }: AgentPlace,
  tls: TlsMaterial,
  signal: AbortSignal,
): Promise<Shown> {
  const socket = connectTls({
    ...tlsOptions(tls),
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
  })
  try {
    using secured = await opened(socket, 'secureConnect', signal)
    const certificate = secured.getPeerX509Certificate()
    if (certificate === undefined)
      return { kind: 'none', failure: `What answers on port ${port} of ${host} shows no certificate` }
    return { kind: 'certificate', certificate, isRevoked: isRevoked(secured) }
  } catch (error) {
    signal.throwIfAborted()
    return {
      kind: 'none',
      failure: `What answers on port ${port} of ${host} does not speak TLS 1.3: ${reasonOf(error)}`,
    }
  }
}

function isRevoked(socket: TLSSocket): boolean {
  return String(socket.authorizationError).includes('CERT_REVOKED')
}

async function opened<Kind extends Socket>(
  socket: Kind,
  event: string,
  signal: AbortSignal,
): Promise<Kind & Disposable> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
  try {
    await once(socket, event, { signal: patience })
  } catch (error) {
    socket.destroy()
    throw error
  }
  // What comes after what was waited for, such as a reset, is of no interest.
  socket.on('error', () => {})
  return Object.assign(socket, { [Symbol.dispose]: () => void socket.destroy() })
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'AbortError')
    return `nothing comes within ${PATIENCE_MS / 1000} s`
  const errno = errnoOf(error)
  if (errno === 'ENOTFOUND') return 'nobody knows the name'
  if (errno === 'ECONNREFUSED') return 'nothing listens there (ECONNREFUSED)'
  if (errno !== null) return `the system reports ${errno}`
  return error instanceof Error ? error.message : String(error)
}
