import {
  type ArgumentDefinition,
  type CommandDefinition,
  type Completes,
  longFlag,
  type OptionDefinition,
} from '../command.ts'
import { OUTPUT_OPTIONS, REPOSITORY_OPTIONS } from '../common-options.ts'

/** What a shell may offer in one place: words, or what is on the disk. */
export type Offer =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: Completes }

/** All options that a command takes, its own first. */
export function optionsOf(definition: CommandDefinition): readonly OptionDefinition[] {
  return [
    ...Object.values(definition.options),
    ...(definition.repository === 'none' ? [] : Object.values(REPOSITORY_OPTIONS)),
    ...Object.values(OUTPUT_OPTIONS),
  ]
}

/** `--repo` and `-r`. */
export function flagsOf(option: OptionDefinition): readonly string[] {
  return option.short === undefined ? [longFlag(option)] : [longFlag(option), `-${option.short}`]
}

/** What may follow an option; undefined when it takes no value. */
export function offerOfOption(option: OptionDefinition): Offer | undefined {
  if (!('valueName' in option)) return undefined
  if (option.choices !== undefined) return { kind: 'words', words: option.choices }
  return { kind: option.completes ?? 'nothing' }
}

/** What an argument may be. */
export function offerOfArgument(argument: ArgumentDefinition): Offer {
  if (argument.choices !== undefined) return { kind: 'words', words: argument.choices }
  return { kind: argument.completes ?? 'nothing' }
}

/** First words of commands, each with what it is for and the second words that it takes. */
export function firstWords(
  definitions: readonly CommandDefinition[],
  families: Readonly<Record<string, string>>,
): ReadonlyMap<string, { readonly summary: string; readonly seconds: readonly CommandDefinition[] }> {
  const found = new Map<string, { summary: string; seconds: CommandDefinition[] }>()
  for (const definition of definitions) {
    const [first = '', second] = definition.name.split(' ')
    const entry = found.get(first) ?? { summary: families[first] ?? definition.summary, seconds: [] }
    if (second !== undefined) entry.seconds.push(definition)
    found.set(first, entry)
  }
  return found
}
