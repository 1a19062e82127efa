import { X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readAgentConfiguration } from '../../agent/agent-configuration.ts'
import { isBackupError } from '../../domain/backup-error.ts'
import type { Clock } from '../../domain/clock.ts'
import { errnoMeaning, errnoOf } from '../../domain/errno.ts'
import { AgentFile, readAgentTls } from '../../host/agent-folder.ts'
import {
  type AgentConfigurationFacts,
  checkAgentConfiguration,
} from '../../host/doctor/agent-configuration-check.ts'
import { checkAuditLog } from '../../host/doctor/audit-log-check.ts'
import { checkCertificate } from '../../host/doctor/certificate-check.ts'
import { certificateFacts } from '../../host/doctor/certificate-facts.ts'
import { type Finding, unknown, wrong } from '../../host/doctor/finding.ts'
import { checkKeyFiles, type KeyFile } from '../../host/doctor/key-files-check.ts'
import { checkRevocation, type RevocationFacts } from '../../host/doctor/revocation-check.ts'
import { AGENT_UNIT, checkService } from '../../host/doctor/service-check.ts'
import { spaceAt, writeFailureAt } from '../../linux/doctor/free-space.ts'
import { serviceState } from '../../linux/doctor/service-state.ts'
import { fromPem } from '../../rpc/authority.ts'
import { DerError } from '../../rpc/der-reader.ts'
import { readRevocationList, REVOCATION_LIST_LABEL } from '../../rpc/revocation-list.ts'
import type { TlsMaterial } from '../../rpc/tls-material.ts'
import { PATHS_MAX, pathsOfPattern } from './paths-of-pattern.ts'

type Parts = { readonly folder: string; readonly stateFolder: string; readonly clock: Clock }

export type AgentFolderExamination = {
  readonly findings: readonly Finding[]
  /** What the configuration allows and is there. */
  readonly sources: readonly string[]
}

const ENROLL =
  'Run `icecore agent invite HOST` on the mover, and the `icecore agent enroll` that it prints here'
/** Below this the log could not be written for long, and then the agent refuses everything. */
const ROOM_BYTES_MIN = 16 * 1024 * 1024

/** Who the agent is, what it may do, and whether it runs. */
export async function lookAtAgentFolder(parts: Parts, signal: AbortSignal): Promise<AgentFolderExamination> {
  const { folder, stateFolder } = parts
  const { facts, sources, cut } = await configurationFacts(folder)
  const keyFile = await keyFileAt(join(folder, AgentFile.Key))
  return {
    findings: [
      ...checkAgentConfiguration(facts),
      ...cut.map(cutShort),
      ...checkKeyFiles([keyFile], process.geteuid?.() ?? null),
      ...(keyFile.state === null ? [] : await lookAtCertificate(parts)),
      checkAuditLog(join(stateFolder, 'audit.log'), await logFailureAt(stateFolder)),
      checkService(await serviceState(AGENT_UNIT, signal)),
    ],
    sources,
  }
}

type ConfigurationFound = {
  readonly facts: AgentConfigurationFacts
  readonly sources: readonly string[]
  /** The patterns that mean more than was looked at. */
  readonly cut: readonly string[]
}

async function configurationFacts(folder: string): Promise<ConfigurationFound> {
  const path = join(folder, 'agent.yaml')
  try {
    const { sources } = await readAgentConfiguration(folder)
    const found = await Promise.all(sources.map(({ pattern }) => pathsOfPattern(pattern)))
    return {
      facts: {
        kind: 'read',
        path,
        sources: sources.map((source, index) => ({ ...source, matchCount: found[index]?.length ?? 0 })),
      },
      sources: [...new Set(found.flat())],
      cut: sources.map(({ pattern }) => pattern).filter((_, index) => found[index]?.length === PATHS_MAX),
    }
  } catch (error) {
    if (!isBackupError(error)) throw error
    return { facts: { kind: 'unusable', path, reason: error.message }, sources: [], cut: [] }
  }
}

function cutShort(pattern: string): Finding {
  const sentence = `Pattern "${pattern}" means more than ${PATHS_MAX} paths, of which only the first were looked at`
  return unknown('agent-configuration', sentence, 'Write patterns that mean less')
}

async function keyFileAt(path: string): Promise<KeyFile> {
  try {
    const { mode, uid } = await stat(path)
    return { path, state: { mode: mode & 0o7777, userId: uid } }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { path, state: null }
    return { path, state: { failure: errnoMeaning(error) ?? String(error) } }
  }
}

async function lookAtCertificate({ folder, clock }: Parts): Promise<readonly Finding[]> {
  const check = 'agent-certificate'
  let tls: TlsMaterial
  try {
    tls = await readAgentTls(folder)
  } catch (error) {
    if (!isBackupError(error)) throw error
    return [wrong(check, { sentence: error.message, advice: ENROLL, stops: 'agent' })]
  }
  const certificate = new X509Certificate(tls.certificate)
  const authority = new X509Certificate(tls.authority)
  const list = revocationFacts(tls.revoked, { authority, certificate })
  const facts = certificateFacts(certificate, { authority, host: null, isRevoked: list.isRevoked })
  const demand = {
    check,
    subject: 'The certificate of this agent',
    role: 'agent',
    nowMs: clock.now().getTime(),
    renewal: `Run a backup from the mover, which renews it; where that does not help: ${ENROLL}`,
  } as const
  return [checkCertificate(facts, demand), checkRevocation(list.facts)]
}

function revocationFacts(
  text: string | null,
  { authority, certificate }: { readonly authority: X509Certificate; readonly certificate: X509Certificate },
): { readonly facts: RevocationFacts; readonly isRevoked: boolean } {
  if (text === null) return { facts: { kind: 'none' }, isRevoked: false }
  const bytes = fromPem(REVOCATION_LIST_LABEL, text)
  if (bytes === null) return { facts: { kind: 'damaged', reason: 'it is no list' }, isRevoked: false }
  try {
    const { revoked, madeAtMs } = readRevocationList(bytes, authority)
    const isRevoked = revoked.some(({ serial }) => serial === certificate.serialNumber)
    return { facts: { kind: 'list', madeAtMs, revokedCount: revoked.length }, isRevoked }
  } catch (error) {
    if (!(error instanceof DerError)) throw error
    return { facts: { kind: 'damaged', reason: error.message }, isRevoked: false }
  }
}

async function logFailureAt(folder: string): Promise<string | null> {
  const failure = await writeFailureAt(folder)
  if (failure !== null) return failure
  const space = await spaceAt(folder)
  return space !== null && space.freeBytes < ROOM_BYTES_MIN ? 'its file system is full' : null
}
