/**
 * Commands as data. Help, completion, the man page and the parser are all made from these records, so that
 * they cannot disagree; what a command does is joined to its definition in command-table.ts.
 */

/** Turns the text of an argument into a domain value; throws SyntaxError or RangeError with a sentence. */
export type ParseText<Value> = (text: string) => Value

/** What a shell offers for a value. */
export type Completes = 'file' | 'folder' | 'nothing'

export type ArgumentDefinition<Value = unknown> = {
  /** As help shows it: `POINT`. */
  readonly name: string
  readonly description: string
  /** `one` and `many` are required, `optional` and `any` are not. */
  readonly count: 'one' | 'many' | 'optional' | 'any'
  readonly parse: ParseText<Value>
  readonly choices?: readonly string[]
  readonly completes?: Completes
}

type OptionBase = {
  /** The long name without dashes: `chunk-size`. */
  readonly flag: string
  /** The one-letter name without its dash. */
  readonly short?: string
  readonly description: string
  /** The variable that stands in for it, for help; settings.ts reads it. */
  readonly environment?: string
}

/** Present or not. `off-switch` is written `--no-FLAG` and is true unless it is given. */
export type SwitchDefinition = OptionBase & { readonly kind: 'switch' | 'off-switch' }

export type ValueDefinition<Value = unknown> = OptionBase & {
  /** `list` may be given several times. */
  readonly kind: 'value' | 'list'
  /** As help shows it: `SIZE`. */
  readonly valueName: string
  readonly parse: ParseText<Value>
  /** As a user would write it. */
  readonly default?: string
  readonly required?: true
  readonly choices?: readonly string[]
  readonly completes?: Completes
}

export type OptionDefinition = SwitchDefinition | ValueDefinition
export type ArgumentDefinitions = Readonly<Record<string, ArgumentDefinition>>
export type OptionDefinitions = Readonly<Record<string, OptionDefinition>>

/** The heading under which `icecore --help` lists a command. */
export type Section = 'Main' | 'Looking' | 'Keeping' | 'Learning'

export type Example = { readonly line: string; readonly description: string }

export type CommandDefinition = {
  /** `backup`, or two words where commands share a first one: `key add`. */
  readonly name: string
  readonly section: Section
  /** One line for lists of commands: no capital, no full stop. */
  readonly summary: string
  /** One or more paragraphs, parted by empty lines. */
  readonly description: string
  readonly arguments: ArgumentDefinitions
  readonly options: OptionDefinitions
  /** Whether it takes `--repo` and the password options; `optional`: it may name the repository otherwise. */
  readonly repository: 'required' | 'optional' | 'none'
  readonly examples: readonly Example[]
  /** What became of the work when it is cancelled, in one line; absent where nothing is left of it. */
  readonly whenCancelled?: string
}

type ArgumentValue<Definition> = Definition extends { count: infer Count; parse: ParseText<infer Value> }
  ? Count extends 'one'
    ? Value
    : Count extends 'optional'
      ? Value | undefined
      : readonly Value[]
  : never

type OptionValue<Definition> = Definition extends { kind: 'switch' | 'off-switch' }
  ? boolean
  : Definition extends { kind: 'list'; parse: ParseText<infer Value> }
    ? readonly Value[]
    : Definition extends { kind: 'value'; parse: ParseText<infer Value> }
      ? Definition extends { default: string } | { required: true }
        ? Value
        : Value | undefined
      : never

/** What a handler receives for its arguments, by the keys of the definition. */
export type ArgumentValues<Definitions extends ArgumentDefinitions> = {
  readonly [Key in keyof Definitions]: ArgumentValue<Definitions[Key]>
}

/** What a handler receives for its options, by the keys of the definition. */
export type OptionValues<Definitions extends OptionDefinitions> = {
  readonly [Key in keyof Definitions]: OptionValue<Definitions[Key]>
}

/** `--chunk-size`, `--no-encryption`. */
export function longFlag(option: OptionDefinition): string {
  return option.kind === 'off-switch' ? `--no-${option.flag}` : `--${option.flag}`
}

/** `POINT`, `POINT...`, `[POINT]`, `[POINT...]`. */
export function argumentTerm(argument: ArgumentDefinition): string {
  const name = argument.count === 'many' || argument.count === 'any' ? `${argument.name}...` : argument.name
  return argument.count === 'one' || argument.count === 'many' ? name : `[${name}]`
}

/** What follows the program's name: `restore POINT -r REPO --to TARGET [options]`. */
export function synopsis(definition: CommandDefinition): string {
  const required = Object.values(definition.options).filter((option) => 'required' in option)
  return [
    definition.name,
    ...Object.values(definition.arguments).map(argumentTerm),
    ...(definition.repository === 'required' ? ['-r REPO'] : []),
    ...required.map((option) => `${longFlag(option)} ${'valueName' in option ? option.valueName : ''}`),
    '[options]',
  ].join(' ')
}
