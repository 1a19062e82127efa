import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { ProgressListener } from '../../domain/progress.ts'
import { BACKUP } from '../commands/backup.ts'
import { CHECK } from '../commands/check.ts'
import { DIFF } from '../commands/diff.ts'
import { EXTRACT } from '../commands/extract.ts'
import { INIT } from '../commands/init.ts'
import { LS } from '../commands/ls.ts'
import { MAP } from '../commands/map.ts'
import { RESTORE } from '../commands/restore.ts'
import { COMMON_OPTIONS } from '../common-options.ts'
import { command, type CommandResult, type Invocation } from '../invocation.ts'
import { readPassword } from '../password.ts'
import { parseCommandLine } from '../program.ts'
import { readArguments, readOptions } from '../read-values.ts'
import { runBackup } from '../run/backup.ts'
import { runCheck } from '../run/check.ts'
import { runDiff } from '../run/diff.ts'
import { runExtract } from '../run/extract.ts'
import { runInit } from '../run/init.ts'
import { runLs } from '../run/ls.ts'
import { runMap } from '../run/map.ts'
import { runRestore } from '../run/restore.ts'
import { settle } from '../settings.ts'
import { VERSION } from '../version.ts'

const COMMANDS = [
  command(INIT, () => Promise.resolve(runInit)),
  command(BACKUP, () => Promise.resolve(runBackup)),
  command(RESTORE, () => Promise.resolve(runRestore)),
  command(DIFF, () => Promise.resolve(runDiff)),
  command(EXTRACT, () => Promise.resolve(runExtract)),
  command(LS, () => Promise.resolve(runLs)),
  command(MAP, () => Promise.resolve(runMap)),
  command(CHECK, () => Promise.resolve(runCheck)),
]
const PARTS = { commands: COMMANDS, families: {}, version: VERSION }
const PLAIN_LOOK = { width: 80, paint: (_style: unknown, text: string) => text }

/** A command that was run, with the time that a person would have waited for it. */
export type Ran = { readonly result: CommandResult; readonly durationMs: number }

/** Runs a command line on the demo's own repository, exactly as the program would, but prints nothing. */
export type RunCommand = (words: readonly string[], progress: ProgressListener) => Promise<Ran>

/** Nothing of the user's own settings gets in, but for the number of lanes. */
export function commandRunner(outer: Invocation, folder: string): RunCommand {
  const environment = {
    ICECORE_REPOSITORY: join(folder, 'repository'),
    ICECORE_PASSWORD_FILE: join(folder, 'password'),
  }
  const { lanes } = outer.settings
  const configuration = { cacheFolder: join(folder, 'cache'), ...(lanes === undefined ? {} : { lanes }) }
  return async (words, progress) => {
    const request = parseCommandLine(PARTS, words, PLAIN_LOOK)
    assert(request.kind === 'run')
    const { definition } = request.command
    const name = `icecore ${definition.name}`
    const settings = settle(readOptions(COMMON_OPTIONS, request.common, name), environment, configuration)
    const notice = (message: string): void => progress({ event: 'notice', message })
    const startedAt = performance.now()
    const result = await request.command.run({
      ...outer,
      arguments: readArguments(definition.arguments, request.arguments, name),
      options: readOptions(definition.options, request.options, name),
      settings,
      requireRepository: () => environment.ICECORE_REPOSITORY,
      askPassword: async (purpose) => {
        const question = { source: settings.passwordSource, purpose, notice }
        return await readPassword(question, outer.terminal, outer.signal)
      },
      progress,
    })
    return { result, durationMs: Math.round(performance.now() - startedAt) }
  }
}
