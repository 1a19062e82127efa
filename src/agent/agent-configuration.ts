import { open } from 'node:fs/promises'
import { join, normalize } from 'node:path'
import type * as Valibot from 'valibot'
import type { HookSet } from '../capture/hooks/choose-hooks.ts'
import { FREEZE_DEADLINE_DEFAULT_MS } from '../capture/hooks/hook.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { errnoMeaning } from '../domain/errno.ts'
import { hostAndPort, type HostAndPort } from '../domain/host-and-port.ts'
import {
  HOOK_SECONDS_MAX,
  hooksSchema,
  readHookSet,
  type WrittenHookSet,
} from '../host/hooks-configuration.ts'
import { AGENT_PORT, type AllowedSource } from '../rpc/agent-api.ts'

/** What an agent may do, by its own host's will: the file `agent.yaml` in its folder. */
export type AgentConfiguration = {
  readonly listen: HostAndPort
  /** Nothing else is frozen, or written to. */
  readonly sources: readonly AllowedSource[]
  readonly hookSets: readonly HookSet[]
  readonly freezeDeadlineMs: number
  readonly limits: AgentLimits
}

export type AgentLimits = {
  /** Groups of images that are held at once, bases not counted. */
  readonly groups: number
  /** So long one is held for a mover that says nothing. */
  readonly leaseSeconds: number
  /** Maps, lists and bytes that are sent at once. */
  readonly streams: number
}

const CONFIGURATION_NAME = 'agent.yaml'

const HOST_DEFAULT = '0.0.0.0'
const LIMITS_DEFAULT: AgentLimits = { groups: 8, leaseSeconds: 3600, streams: 64 }
const SIZE_BYTES_MAX = 1024 * 1024
const SOURCES_MAX = 1024
const PATTERN_LENGTH_MAX = 4096
const GROUPS_MAX = 1000
const STREAMS_MAX = 10_000
const LEASE_SECONDS_MAX = 86_400
const WRITABLE_BY_OTHERS = 0o022

/** Reads `agent.yaml`. Throws USAGE_WRONG that names the file and the key. */
export async function readAgentConfiguration(folder: string): Promise<AgentConfiguration> {
  const path = join(folder, CONFIGURATION_NAME)
  return await parseAgentConfiguration(await contentOf(path), { path, folder })
}

async function contentOf(path: string): Promise<string> {
  try {
    await using file = await open(path)
    const { uid, mode, size } = await file.stat()
    // It says what root runs, and what is overwritten.
    const isOwn = uid === 0 || uid === process.geteuid?.()
    if (!isOwn || (mode & WRITABLE_BY_OTHERS) !== 0) {
      throw wrong(path, 'others can write to it, required is a file that only you, or root, can change')
    }
    if (size > SIZE_BYTES_MAX) throw wrong(path, `it has ${size} bytes, the limit is ${SIZE_BYTES_MAX}`)
    return await file.readFile('utf8')
  } catch (cause) {
    if (cause instanceof BackupError) throw cause
    const reason = errnoMeaning(cause) ?? String(cause)
    const message = `Cannot read the agent's configuration "${path}": ${reason}, required is a file that says at least which "sources" may be frozen`
    throw new BackupError(ErrorCode.UsageWrong, message, {
      data: { path, isAgentConfiguration: true },
      cause,
    })
  }
}

type Place = { readonly path: string; readonly folder: string }

/** `place` is the file, and the folder that programs of hooks are found from. */
export async function parseAgentConfiguration(text: string, place: Place): Promise<AgentConfiguration> {
  const [{ parse }, v] = await Promise.all([import('yaml'), import('valibot')])
  let value: unknown
  try {
    value = parse(text, { maxAliasCount: 0, prettyErrors: true })
  } catch (cause) {
    throw wrong(place.path, firstLine(cause))
  }
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) {
    throw wrong(place.path, 'expected keys and values')
  }
  const schema = schemaOf(v)
  const result = v.safeParse(schema, value ?? {})
  if (result.success) return withDefaults(result.output, place.folder)
  const [issue] = result.issues
  const key = v.getDotPath(issue)
  const expected = issue.expected ?? issue.message
  throw wrong(
    place.path,
    key === null
      ? issue.message
      : expected === 'never'
        ? `key "${key}" is unknown`
        : `key "${key}" is ${issue.received}, expected ${expected}`,
  )
}

type Written = {
  readonly listen?: string | undefined
  readonly sources: readonly (string | { readonly path: string; readonly restore?: boolean | undefined })[]
  readonly hooks?: readonly WrittenHookSet[] | undefined
  readonly freezeDeadlineSeconds?: number | undefined
  readonly limits?: { readonly [Key in keyof AgentLimits]?: number | undefined } | undefined
}

function schemaOf(v: typeof Valibot): Valibot.GenericSchema<unknown, Written> {
  const pattern = v.pipe(
    v.string(),
    v.maxLength(PATTERN_LENGTH_MAX),
    v.check(isPattern, 'it is no absolute path without ".", ".." and "**"'),
  )
  const source = v.union([pattern, v.strictObject({ path: pattern, restore: v.optional(v.boolean()) })])
  const whole = (max: number): Valibot.GenericSchema<unknown, number> =>
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max))
  return v.strictObject({
    listen: v.optional(
      v.pipe(
        v.string(),
        v.check((text) => parseListen(text) !== null, 'it is neither HOST:PORT nor HOST'),
      ),
    ),
    sources: v.pipe(v.array(source), v.minLength(1), v.maxLength(SOURCES_MAX)),
    hooks: v.optional(hooksSchema(v)),
    freezeDeadlineSeconds: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(HOOK_SECONDS_MAX))),
    limits: v.optional(
      v.strictObject({
        groups: v.optional(whole(GROUPS_MAX)),
        leaseSeconds: v.optional(whole(LEASE_SECONDS_MAX)),
        streams: v.optional(whole(STREAMS_MAX)),
      }),
    ),
  })
}

function withDefaults(written: Written, folder: string): AgentConfiguration {
  const { listen, sources, hooks = [], freezeDeadlineSeconds, limits = {} } = written
  const { groups, leaseSeconds, streams } = LIMITS_DEFAULT
  return {
    listen: (listen === undefined ? null : parseListen(listen)) ?? {
      host: HOST_DEFAULT,
      port: AGENT_PORT,
    },
    sources: sources.map((one) =>
      typeof one === 'string'
        ? { pattern: one, mayRestore: false }
        : { pattern: one.path, mayRestore: one.restore ?? false },
    ),
    hookSets: hooks.map((set) => readHookSet(set, folder)),
    freezeDeadlineMs:
      freezeDeadlineSeconds === undefined
        ? FREEZE_DEADLINE_DEFAULT_MS
        : Math.round(freezeDeadlineSeconds * 1000),
    limits: {
      groups: limits.groups ?? groups,
      leaseSeconds: limits.leaseSeconds ?? leaseSeconds,
      streams: limits.streams ?? streams,
    },
  }
}

function isPattern(text: string): boolean {
  const isPath = text.startsWith('/') && text === normalize(text) && !text.endsWith('/')
  return isPath && !text.includes('\0') && !text.includes('**')
}

/** With port 0 the system chooses one. Null for what is no address. */
function parseListen(text: string): HostAndPort | null {
  try {
    return hostAndPort(AGENT_PORT, 0)(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function wrong(path: string, what: string): BackupError {
  const message = `Cannot use the agent's configuration "${path}": ${what}`
  return new BackupError(ErrorCode.UsageWrong, message, { data: { path, isAgentConfiguration: true } })
}

function firstLine(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  return line.replace(/:$/, '')
}
