import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as valibot from 'valibot'
import { errnoOf } from '../domain/errno.ts'
import { unusable } from './authority-files.ts'
import { makePrivateFolder, readPrivateFile, writePrivateFile } from './private-files.ts'

const AGENTS_FOLDER = 'agents'
const SUFFIX = '.json'
const KEPT_AFTER_END_MS = 86_400_000

const instant = valibot.pipe(
  valibot.string(),
  valibot.check((text) => instantMs(text) !== null, 'is no time'),
)
const schema = valibot.strictObject({
  name: valibot.string(),
  certificates: valibot.array(
    valibot.strictObject({
      serial: valibot.pipe(valibot.string(), valibot.regex(/^[0-9A-F]{2,40}$/)),
      reason: valibot.picklist(['enrolment', 'renewal']),
      issuedAt: instant,
      endsAt: instant,
    }),
  ),
  broughtListNumber: valibot.pipe(valibot.number(), valibot.safeInteger(), valibot.minValue(0)),
})

export type AgentCertificate = {
  readonly serial: string
  /** A renewal is for the key of the enrolment before. */
  readonly reason: 'enrolment' | 'renewal'
  readonly issuedAtMs: number
  readonly endsAtMs: number
}

/** What an authority knows of one agent: nothing secret, and nothing that cannot be lost but the names of what to revoke. */
export type AgentRecord = {
  readonly name: string
  /** Oldest first. */
  readonly certificates: readonly AgentCertificate[]
  /** Of the newest list of revoked certificates that it has; 0 for none. */
  readonly broughtListNumber: number
}

export async function readAgents(folder: string): Promise<readonly AgentRecord[]> {
  const names = await readdir(join(folder, AGENTS_FOLDER)).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  })
  const known = names.filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.'))
  const records = await Promise.all(
    known.toSorted().map((name) => readAgent(folder, name.slice(0, -SUFFIX.length))),
  )
  return records.filter((record) => record !== null)
}

/** Null for an agent that was never enrolled here. */
export async function readAgent(folder: string, name: string): Promise<AgentRecord | null> {
  const file = await readPrivateFile(join(folder, AGENTS_FOLDER), `${name}${SUFFIX}`)
  if (file === undefined) return null
  let value: unknown
  try {
    value = JSON.parse(file.text)
  } catch (cause) {
    throw unusable(folder, `"${AGENTS_FOLDER}/${name}${SUFFIX}" is no JSON`, cause)
  }
  const result = valibot.safeParse(schema, value)
  if (!result.success) {
    const [issue] = result.issues
    const what = `"${AGENTS_FOLDER}/${name}${SUFFIX}": ${valibot.getDotPath(issue) ?? 'it'}: ${issue.message}`
    throw unusable(folder, what)
  }
  const { certificates, broughtListNumber } = result.output
  return {
    name: result.output.name,
    broughtListNumber,
    certificates: certificates.map(({ serial, reason, issuedAt, endsAt }) => ({
      serial,
      reason,
      issuedAtMs: instantMs(issuedAt) ?? 0,
      endsAtMs: instantMs(endsAt) ?? 0,
    })),
  }
}

/** Certificates that have ended are forgotten, but for the last one. */
export async function writeAgent(folder: string, record: AgentRecord, nowMs: number): Promise<void> {
  const kept = record.certificates.filter(
    ({ endsAtMs }, index) => index === record.certificates.length - 1 || endsAtMs + KEPT_AFTER_END_MS > nowMs,
  )
  const written = {
    name: record.name,
    certificates: kept.map(({ serial, reason, issuedAtMs, endsAtMs }) => ({
      serial,
      reason,
      issuedAt: instantText(issuedAtMs),
      endsAt: instantText(endsAtMs),
    })),
    broughtListNumber: record.broughtListNumber,
  }
  const agents = join(folder, AGENTS_FOLDER)
  await makePrivateFolder(agents)
  await writePrivateFile(agents, `${record.name}${SUFFIX}`, `${JSON.stringify(written, null, 2)}\n`)
}

function instantText(ms: number): string {
  return Temporal.Instant.fromEpochMilliseconds(ms).toString()
}

function instantMs(text: string): number | null {
  try {
    return Temporal.Instant.from(text).epochMilliseconds
  } catch {
    return null
  }
}
