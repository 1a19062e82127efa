import { resolve } from 'node:path'
import type * as Valibot from 'valibot'
import type { HookSet } from '../capture/hooks/choose-hooks.ts'
import { type Hook, HOOK_TIMEOUT_DEFAULT_MS, type HookPolicy } from '../capture/hooks/hook.ts'

const HOOKS_MAX = 32
const WORDS_MAX = 256
const WORD_LENGTH_MAX = 4096
export const HOOK_SECONDS_MAX = 3600

/** As a file has it. */
export type WrittenHook = {
  readonly command: readonly string[]
  readonly timeoutSeconds?: number | undefined
  readonly onFailure?: HookPolicy | undefined
}

export type WrittenHookSet = {
  readonly lineage?: string | undefined
  readonly source?: string | undefined
  readonly beforeFreeze?: readonly WrittenHook[] | undefined
  readonly afterThaw?: readonly WrittenHook[] | undefined
}

/** The key `hooks` of a configuration file. */
export function hooksSchema(v: typeof Valibot): Valibot.GenericSchema<unknown, WrittenHookSet[]> {
  // A zero byte would end the word for the system.
  const word = v.pipe(v.string(), v.maxLength(WORD_LENGTH_MAX), v.regex(/^[^\0]*$/))
  const hook = v.strictObject({
    command: v.pipe(
      v.array(word),
      v.minLength(1),
      v.maxLength(WORDS_MAX),
      v.check(([program]) => program !== ''),
    ),
    timeoutSeconds: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(HOOK_SECONDS_MAX))),
    onFailure: v.optional(v.picklist(['abort', 'degrade'])),
  })
  const hooks = v.optional(v.pipe(v.array(hook), v.maxLength(HOOKS_MAX)))
  const words = v.pipe(v.string(), v.nonEmpty())
  const set = v.strictObject({
    lineage: v.optional(words),
    source: v.optional(words),
    beforeFreeze: hooks,
    afterThaw: hooks,
  })
  return v.pipe(v.array(set), v.maxLength(HOOKS_MAX))
}

/** What a file says, with the defaults; programs are found from its folder. */
export function readHookSet(written: WrittenHookSet, folder: string): HookSet {
  const { lineage, source, beforeFreeze = [], afterThaw = [] } = written
  return {
    ...(lineage === undefined ? {} : { lineage }),
    ...(source === undefined ? {} : { source }),
    beforeFreeze: beforeFreeze.map((hook) => readHook(hook, folder, 'abort')),
    // The image is made by then: to throw it away would help nobody.
    afterThaw: afterThaw.map((hook) => readHook(hook, folder, 'degrade')),
  }
}

function readHook(written: WrittenHook, folder: string, policy: HookPolicy): Hook {
  const { command, timeoutSeconds, onFailure } = written
  return {
    command: withProgramFrom(folder, command),
    timeoutMs: timeoutSeconds === undefined ? HOOK_TIMEOUT_DEFAULT_MS : Math.round(timeoutSeconds * 1000),
    onFailure: onFailure ?? policy,
  }
}

/** Hooks run in `/`; a program without a slash is looked for on the path. */
export function withProgramFrom(folder: string, command: readonly string[]): readonly string[] {
  const [program = '', ...words] = command
  return [program.includes('/') ? resolve(folder, program) : program, ...words]
}
