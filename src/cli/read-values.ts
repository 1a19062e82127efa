import {
  type ArgumentDefinitions,
  longFlag,
  type OptionDefinition,
  type OptionDefinitions,
  type OptionValues,
  type ParseText,
} from './command.ts'
import { usageFailure } from './usage-failure.ts'

/** What the parser found, by definition key: text, several texts, true, false or nothing. */
export type RawValues = Readonly<Record<string, unknown>>

/** Turns the texts of options into domain values, once. Throws USAGE_WRONG that names the option. */
export function readOptions<Definitions extends OptionDefinitions>(
  definitions: Definitions,
  raw: RawValues,
  command: string,
): OptionValues<Definitions> {
  const values: unknown = Object.fromEntries(
    Object.entries(definitions).map(([key, option]) => [key, optionValue(option, raw[key], command)]),
  )
  // Each value was read by the definition that its type is made of.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return values as OptionValues<Definitions>
}

function optionValue(option: OptionDefinition, raw: unknown, command: string): unknown {
  switch (option.kind) {
    case 'switch':
      return raw === true
    case 'off-switch':
      return raw !== false
    case 'list':
      return listOf(raw).map((text) => parsed(option.parse, text, { what: longFlag(option), command }))
    case 'value': {
      const text = typeof raw === 'string' ? raw : option.default
      return text === undefined ? undefined : parsed(option.parse, text, { what: longFlag(option), command })
    }
  }
}

/** Turns the texts of arguments into domain values, once. Throws USAGE_WRONG that names the argument. */
export function readArguments(
  definitions: ArgumentDefinitions,
  raw: readonly unknown[],
  command: string,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(definitions).map(([key, argument], position) => {
      const value = raw[position]
      const place = { what: argument.name, command }
      if (argument.count === 'many' || argument.count === 'any') {
        return [key, listOf(value).map((text) => parsed(argument.parse, text, place))]
      }
      return [key, typeof value === 'string' ? parsed(argument.parse, value, place) : undefined]
    }),
  )
}

function listOf(raw: unknown): readonly string[] {
  return Array.isArray(raw) ? raw.filter((text) => typeof text === 'string') : []
}

function parsed(
  parse: ParseText<unknown>,
  text: string,
  place: { readonly what: string; readonly command: string },
): unknown {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error
    throw usageFailure(place.command, `${place.what}: ${uncapitalised(error.message)}`)
  }
}

/** The parser's sentence becomes the second half of ours. */
function uncapitalised(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1)
}
