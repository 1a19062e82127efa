import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'

/** What configuration files may say. Paths are absolute: in a file they count from its folder. */
export type Configuration = {
  readonly repository?: string
  readonly passwordFile?: string
  /** The program and its arguments, as one text or as words. */
  readonly passwordCommand?: string | readonly string[]
  readonly lanes?: number
  readonly cacheFolder?: string
}

type Environment = Readonly<Record<string, string | undefined>>

const FILE_NAME = 'icecore.yaml'
const LANES_MAX = 256
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
  const text = await textOf(path)
  return text === undefined ? {} : await parseConfiguration(text, path)
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new BackupError(ErrorCode.UsageWrong, `Cannot read configuration "${path}": ${String(code)}`, {
      cause,
    })
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

type Parsed = { [Key in keyof Configuration]: Configuration[Key] | undefined }

function withAbsolutePaths(parsed: Parsed, folder: string): Configuration {
  const { repository, passwordFile, passwordCommand, lanes, cacheFolder } = parsed
  return {
    ...(repository === undefined ? {} : { repository: absoluteRepository(repository, folder) }),
    ...(passwordFile === undefined ? {} : { passwordFile: resolve(folder, passwordFile) }),
    ...(passwordCommand === undefined ? {} : { passwordCommand }),
    ...(lanes === undefined ? {} : { lanes }),
    ...(cacheFolder === undefined ? {} : { cacheFolder: resolve(folder, cacheFolder) }),
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
