import { open } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { HookSet } from '../capture/hooks/choose-hooks.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { errnoMeaning, errnoOf } from '../domain/errno.ts'
import {
  HOOK_SECONDS_MAX,
  hooksSchema,
  readHookSet,
  type WrittenHookSet,
} from '../host/hooks-configuration.ts'

/** What configuration files may say. Paths are absolute: in a file they count from its folder. */
export type Configuration = {
  readonly repository?: string
  readonly passwordFile?: string
  /** The program and its arguments, as one text or as words. */
  readonly passwordCommand?: string | readonly string[]
  readonly lanes?: number
  readonly cacheFolder?: string
  readonly hooks?: readonly HookSet[]
  readonly freezeDeadlineSeconds?: number
  readonly authority?: string
  readonly agentFolder?: string
}

type Environment = Readonly<Record<string, string | undefined>>

const FILE_NAME = 'icecore.yaml'
const LANES_MAX = 256
const WRITABLE_BY_OTHERS = 0o022
const SYSTEM_FOLDER = '/etc/icecore'

/** Where configuration files are looked for, the strongest first. */
export function configurationPaths(environment: Environment): readonly string[] {
  const system = join(SYSTEM_FOLDER, FILE_NAME)
  const home = environment['HOME'] ?? ''
  const configHome = environment['XDG_CONFIG_HOME'] ?? ''
  // The specification says to ignore a relative $XDG_CONFIG_HOME.
  const folder = configHome.startsWith('/') ? configHome : home && join(home, '.config')
  return folder === '' ? [system] : [join(folder, 'icecore', FILE_NAME), system]
}

/** Reads the files that exist; the person's own wins over the system's, key by key. */
export async function readConfiguration(paths: readonly string[]): Promise<Configuration> {
  const found = await Promise.all(paths.map(readConfigurationFile))
  const merged = found.toReversed().reduce((weak, strong) => ({ ...weak, ...strong }), {})
  return merged
}

async function readConfigurationFile(path: string): Promise<Configuration> {
  const file = await contentOf(path)
  if (file === undefined) return {}
  const configuration = await parseConfiguration(file.text, path)
  if (configuration.hooks !== undefined && !file.isTrusted) {
    throw wrong(
      path,
      'others can write to it, required for "hooks" is a file that only you, or root, can change',
    )
  }
  return configuration
}

type Content = {
  readonly text: string
  /** Nobody can make this user, who may be root, run something. */
  readonly isTrusted: boolean
}

async function contentOf(path: string): Promise<Content | undefined> {
  try {
    await using file = await open(path)
    const { uid, mode } = await file.stat()
    const isOwn = uid === 0 || uid === process.geteuid?.()
    return { text: await file.readFile('utf8'), isTrusted: isOwn && (mode & WRITABLE_BY_OTHERS) === 0 }
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return undefined
    const reason = errnoMeaning(cause) ?? String(cause)
    throw new BackupError(ErrorCode.UsageWrong, `Cannot read configuration "${path}": ${reason}`, { cause })
  }
}

/** Throws USAGE_WRONG that names the file and the key. The parser is loaded only when there is a file. */
export async function parseConfiguration(text: string, path: string): Promise<Configuration> {
  const [{ parse }, valibot] = await Promise.all([import('yaml'), import('valibot')])
  let value: unknown
  try {
    value = parse(text, { maxAliasCount: 0, prettyErrors: true })
  } catch (cause) {
    throw wrong(path, firstLine(cause))
  }
  if (value !== null && (typeof value !== 'object' || Array.isArray(value))) {
    throw wrong(path, 'expected keys and values')
  }
  const words = valibot.pipe(valibot.string(), valibot.nonEmpty())
  const schema = valibot.strictObject({
    repository: valibot.optional(words),
    passwordFile: valibot.optional(words),
    passwordCommand: valibot.optional(
      valibot.union([words, valibot.pipe(valibot.array(valibot.string()), valibot.minLength(1))]),
    ),
    lanes: valibot.optional(
      valibot.pipe(valibot.number(), valibot.integer(), valibot.minValue(1), valibot.maxValue(LANES_MAX)),
    ),
    cacheFolder: valibot.optional(words),
    hooks: valibot.optional(hooksSchema(valibot)),
    freezeDeadlineSeconds: valibot.optional(
      valibot.pipe(valibot.number(), valibot.minValue(0.1), valibot.maxValue(HOOK_SECONDS_MAX)),
    ),
    authority: valibot.optional(words),
    agentFolder: valibot.optional(words),
  })
  const result = valibot.safeParse(schema, value ?? {})
  if (result.success) return withAbsolutePaths(result.output, dirname(path))
  const [issue] = result.issues
  const key = valibot.getDotPath(issue)
  if (key === null) throw wrong(path, issue.message)
  if (!Object.hasOwn(schema.entries, key.split('.')[0] ?? '')) {
    const known = Object.keys(schema.entries).join(', ')
    throw wrong(path, `key "${key}" is unknown, expected one of ${known}`)
  }
  throw wrong(path, `key "${key}" is ${issue.received}, expected ${issue.expected ?? issue.message}`)
}

type Parsed = {
  [Key in keyof Configuration]:
    | (Key extends 'hooks' ? readonly WrittenHookSet[] : Configuration[Key])
    | undefined
}

function withAbsolutePaths(parsed: Parsed, folder: string): Configuration {
  const { repository, passwordFile, passwordCommand, lanes, cacheFolder } = parsed
  const { hooks, freezeDeadlineSeconds, authority, agentFolder } = parsed
  return {
    ...(repository === undefined ? {} : { repository: absoluteRepository(repository, folder) }),
    ...(passwordFile === undefined ? {} : { passwordFile: resolve(folder, passwordFile) }),
    ...(passwordCommand === undefined ? {} : { passwordCommand }),
    ...(lanes === undefined ? {} : { lanes }),
    ...(cacheFolder === undefined ? {} : { cacheFolder: resolve(folder, cacheFolder) }),
    ...(hooks === undefined ? {} : { hooks: hooks.map((set) => readHookSet(set, folder)) }),
    ...(freezeDeadlineSeconds === undefined ? {} : { freezeDeadlineSeconds }),
    ...(authority === undefined ? {} : { authority: resolve(folder, authority) }),
    ...(agentFolder === undefined ? {} : { agentFolder: resolve(folder, agentFolder) }),
  }
}

/** A place with a scheme, such as `s3:bucket`, is no path. */
function absoluteRepository(repository: string, folder: string): string {
  return /^[a-z][a-z0-9+.-]*:/.test(repository) ? repository : resolve(folder, repository)
}

function wrong(path: string, what: string): BackupError {
  return new BackupError(ErrorCode.UsageWrong, `Cannot use configuration "${path}": ${what}`, {
    data: { path },
  })
}

function firstLine(error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  return line.replace(/:$/, '')
}
