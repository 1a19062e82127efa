import { X509Certificate } from 'node:crypto'
import type { Clock } from '../domain/clock.ts'
import { isBackupError } from '../domain/backup-error.ts'
import type { Randomness } from '../domain/randomness.ts'
import { readAgentTls } from '../host/agent-folder.ts'
import { heldImages } from '../host/held-images.ts'
import type { HeldByAgent } from '../rpc/agent-api.ts'
import { peerOf } from '../rpc/peer.ts'
import { readAgentConfiguration, type AgentConfiguration } from './agent-configuration.ts'
import { lastCalls, type AuditLine } from './audit-log.ts'
import { heldByAgent } from './image-of-agent.ts'

const CALLS_SHOWN = 20

/** What can be said of this host's agent without asking it. */
export type LocalStatus = {
  readonly folder: string
  readonly certificate: { readonly name: string; readonly endsAtMs: number } | null
  readonly configuration: AgentConfiguration | null
  readonly held: readonly HeldByAgent[]
  readonly calls: readonly AuditLine[]
  /** What keeps it from being served or shown, in sentences. */
  readonly trouble: readonly string[]
}

type StatusParts = {
  readonly folder: string
  readonly stateFolder: string
  readonly clock: Clock
  readonly randomness: Randomness
}

/** Never throws for what is missing: that is what is to be shown. */
export async function localStatus(parts: StatusParts, signal: AbortSignal): Promise<LocalStatus> {
  const { folder, stateFolder } = parts
  const trouble: string[] = []
  const orNull = async <Answer>(asked: Promise<Answer>): Promise<Answer | null> => {
    try {
      return await asked
    } catch (error) {
      if (!isBackupError(error)) throw error
      trouble.push(error.message)
      return null
    }
  }
  const tls = await orNull(readAgentTls(folder))
  const configuration = await orNull(readAgentConfiguration(folder))
  const held = await orNull(heldImages(parts, signal))
  return {
    folder,
    certificate: tls === null ? null : factsOf(tls.certificate),
    configuration,
    held: (held ?? []).map(({ image }) => heldByAgent(image)),
    calls: await lastCalls(stateFolder, CALLS_SHOWN),
    trouble,
  }
}

function factsOf(pem: string): { readonly name: string; readonly endsAtMs: number } {
  const certificate = new X509Certificate(pem)
  return { name: peerOf(certificate).name, endsAtMs: certificate.validToDate.getTime() }
}
