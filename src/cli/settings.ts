import type { HookSet } from '../capture/hooks/choose-hooks.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { configurationFolder } from '../host/configuration-folder.ts'
import type { OptionValues } from './command.ts'
import type { COMMON_OPTIONS } from './common-options.ts'
import type { Configuration } from './configuration.ts'
import { splitWords } from './split-words.ts'

/** Where a password comes from; `origin` names the option, variable or key that said so. */
export type PasswordSource =
  | { readonly kind: 'file'; readonly path: string; readonly origin: string }
  | { readonly kind: 'command'; readonly words: readonly string[]; readonly origin: string }
  | { readonly kind: 'text'; readonly text: string; readonly origin: string }

export type ProgressMode = 'auto' | 'json' | 'none'

/** What options, environment and configuration files say together, in this order of strength. */
export type Settings = {
  readonly repository: string | undefined
  /** Undefined: ask the person. */
  readonly passwordSource: PasswordSource | undefined
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly progress: ProgressMode
  /** Of the configuration file; a command's own `--lanes` wins. */
  readonly lanes: number | undefined
  readonly cacheFolder: string | undefined
  readonly hookSets: readonly HookSet[]
  readonly freezeDeadlineMs: number | undefined
  /** Of the environment, the configuration file, or the usual place; a command's own `--authority` wins. */
  readonly authorityFolder: string
  /** The same of an agent; a command's own `--folder` wins. */
  readonly agentFolder: string
}

type CommonValues = OptionValues<typeof COMMON_OPTIONS>
type Environment = Readonly<Record<string, string | undefined>>

/** Throws USAGE_WRONG when a password command cannot be split into words. */
export function settle(
  options: CommonValues,
  environment: Environment,
  configuration: Configuration,
): Settings {
  return {
    repository: options.repository ?? valueOf(environment, 'ICECORE_REPOSITORY') ?? configuration.repository,
    passwordSource:
      optionSource(options) ?? environmentSource(environment) ?? configurationSource(configuration),
    json: options.json,
    quiet: options.quiet,
    verbose: options.verbose,
    progress: options.progressShown && !options.quiet ? (options.progress ?? 'auto') : 'none',
    lanes: configuration.lanes,
    cacheFolder: configuration.cacheFolder,
    hookSets: configuration.hooks ?? [],
    freezeDeadlineMs: secondsToMs(configuration.freezeDeadlineSeconds),
    authorityFolder:
      valueOf(environment, 'ICECORE_AUTHORITY') ??
      configuration.authority ??
      configurationFolder('authority', environment),
    agentFolder:
      valueOf(environment, 'ICECORE_AGENT_FOLDER') ??
      configuration.agentFolder ??
      configurationFolder('agent', environment),
  }
}

function secondsToMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000)
}

function optionSource(options: CommonValues): PasswordSource | undefined {
  if (options.passwordFile !== undefined) {
    return { kind: 'file', path: options.passwordFile, origin: '--password-file' }
  }
  if (options.passwordCommand === undefined) return undefined
  return commandSource(options.passwordCommand, '--password-command')
}

function environmentSource(environment: Environment): PasswordSource | undefined {
  const path = valueOf(environment, 'ICECORE_PASSWORD_FILE')
  if (path !== undefined) return { kind: 'file', path, origin: 'ICECORE_PASSWORD_FILE' }
  const command = valueOf(environment, 'ICECORE_PASSWORD_COMMAND')
  if (command !== undefined) return commandSource(command, 'ICECORE_PASSWORD_COMMAND')
  const text = valueOf(environment, 'ICECORE_PASSWORD')
  return text === undefined ? undefined : { kind: 'text', text, origin: 'ICECORE_PASSWORD' }
}

function configurationSource(configuration: Configuration): PasswordSource | undefined {
  const { passwordFile, passwordCommand } = configuration
  if (passwordFile !== undefined) return { kind: 'file', path: passwordFile, origin: 'passwordFile' }
  if (passwordCommand === undefined) return undefined
  return commandSource(passwordCommand, 'passwordCommand')
}

function commandSource(command: string | readonly string[], origin: string): PasswordSource {
  try {
    return { kind: 'command', words: typeof command === 'string' ? splitWords(command) : command, origin }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace('Cannot read command: ', '') : String(cause)
    throw new BackupError(ErrorCode.UsageWrong, `Cannot use ${origin}: ${reason}`)
  }
}

/** An empty variable counts as unset, as for most programs. */
function valueOf(environment: Environment, name: string): string | undefined {
  const value = environment[name]
  return value === '' ? undefined : value
}
