import type { Clock } from '../domain/clock.ts'
import type { Randomness } from '../domain/randomness.ts'
import { ErrorCode, isBackupError } from '../domain/backup-error.ts'
import { Cancelled } from './cancelled.ts'
import { COMMON_OPTIONS } from './common-options.ts'
import { configurationPaths, readConfiguration } from './configuration.ts'
import { ExitCode } from './exit-code.ts'
import type { CommandResult, Invocation } from './invocation.ts'
import { readPassword } from './password.ts'
import { parseCommandLine, type ProgramParts, type Request } from './program.ts'
import { openProgress } from './progress-display.ts'
import { readArguments, readOptions } from './read-values.ts'
import { reportFailure } from './report-failure.ts'
import { type Settings, settle } from './settings.ts'
import type { Terminal } from './terminal.ts'
import { usageFailure } from './usage-failure.ts'

/** The world as the program sees it. */
export type Host = {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly terminal: Terminal
  readonly clock: Clock
  readonly randomness: Randomness
  readonly signal: AbortSignal
}

type RunRequest = Extract<Request, { kind: 'run' }>

/** Runs one command line, prints its result or its failure, and gives the exit code. Never throws. */
export async function runProgram(
  parts: ProgramParts,
  words: readonly string[],
  host: Host,
): Promise<ExitCode> {
  const { terminal } = host
  try {
    const look = { width: terminal.output.width(), paint: terminal.output.paint }
    const request = parseCommandLine(parts, words, look)
    if (request.kind === 'run') return await runRequest(request, host)
    const stream = request.isUsageWrong ? terminal.messages : terminal.output
    await stream.write(request.text)
    return request.isUsageWrong ? ExitCode.Usage : ExitCode.Done
  } catch (error) {
    // The words may be too wrong to be parsed, but what they ask for in case of failure is still known.
    const given = words.slice(0, words.includes('--') ? words.indexOf('--') : words.length)
    const verbose = given.includes('--verbose') || given.includes('-v')
    const style = {
      json: given.includes('--json'),
      verbose: verbose && !isBackupError(error, ErrorCode.UsageWrong),
    }
    return await reportFailure(error, terminal, style)
  }
}

async function runRequest(request: RunRequest, host: Host): Promise<ExitCode> {
  const { definition } = request.command
  const name = `icecore ${definition.name}`
  const common = readOptions(COMMON_OPTIONS, request.common, name)
  const values = {
    arguments: readArguments(definition.arguments, request.arguments, name),
    options: readOptions(definition.options, request.options, name),
  }
  const configuration = await readConfiguration(configurationPaths(host.environment))
  const settings = settle(common, host.environment, configuration)
  if (definition.repository === 'required') requireRepository(settings, name)
  const result = await runWithProgress(request, { ...values, settings, name }, host).catch(
    (error: unknown) => {
      if (!(error instanceof Cancelled) || error.hint !== undefined) throw error
      throw new Cancelled(error.signalName, definition.whenCancelled)
    },
  )
  await printResult(result, settings, host.terminal)
  return result.finalExitCode?.() ?? result.exitCode
}

async function runWithProgress(
  request: RunRequest,
  values: Pick<Invocation, 'arguments' | 'options' | 'settings'> & { readonly name: string },
  host: Host,
): Promise<CommandResult> {
  const { settings, name } = values
  const { terminal, signal, clock, randomness } = host
  using display = openProgress(settings, terminal.messages)
  const notice = (message: string): void => display.listener({ event: 'notice', message })
  return await request.command.run({
    arguments: values.arguments,
    options: values.options,
    settings,
    requireRepository: () => requireRepository(settings, name),
    askPassword: async (purpose) => {
      return await readPassword({ source: settings.passwordSource, purpose, notice }, terminal, signal)
    },
    terminal,
    progress: display.listener,
    signal,
    clock,
    randomness,
  })
}

function requireRepository(settings: Settings, name: string): string {
  if (settings.repository !== undefined) return settings.repository
  throw usageFailure(name, 'no repository is given, expected -r REPO or ICECORE_REPOSITORY')
}

async function printResult(result: CommandResult, settings: Settings, terminal: Terminal): Promise<void> {
  const pieces = settings.json ? result.jsonPieces : result.pieces
  if (pieces !== undefined) {
    for await (const piece of pieces) {
      await terminal.output.write(piece)
      // The rest would be made for nobody: `icecore ls … | head`.
      if (terminal.output.isClosed()) return
    }
    return
  }
  if (settings.json) {
    await terminal.output.write(`${JSON.stringify(result.json, null, 2)}\n`)
    return
  }
  const text = typeof result.text === 'string' ? result.text : result.text()
  if (text !== '') await terminal.output.write(text.endsWith('\n') ? text : `${text}\n`)
}
