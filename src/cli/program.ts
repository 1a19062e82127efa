import { Command as Parser, CommanderError, Option } from 'commander'
import {
  argumentTerm,
  type ArgumentDefinition,
  type CommandDefinition,
  longFlag,
  type OptionDefinition,
  type OptionDefinitions,
  synopsis,
} from './command.ts'
import { COMMON_OPTIONS, OUTPUT_OPTIONS, REPOSITORY_OPTIONS } from './common-options.ts'
import type { Command } from './invocation.ts'
import type { RawValues } from './read-values.ts'
import type { Style } from './terminal.ts'
import { usageFailureOf } from './usage-failure.ts'

/** What the words of a command line ask for. */
export type Request =
  | { readonly kind: 'text'; readonly text: string; readonly isUsageWrong: boolean }
  | {
      readonly kind: 'run'
      readonly command: Command
      readonly arguments: readonly unknown[]
      readonly options: RawValues
      readonly common: RawValues
    }

export type ProgramParts = {
  readonly commands: readonly Command[]
  /** What the first word of two-word commands stands for. */
  readonly families: Readonly<Record<string, string>>
  readonly version: string
}

export type HelpLook = {
  readonly width: number
  readonly paint: (style: Style, text: string) => string
}

const NAME = 'icecore'
const SUMMARY = 'Backs up Linux block storage off the host that owns it'
const HELP_WIDTH_MAX = 100
const ROOT_HELP_END = `
Run \`${NAME} COMMAND --help\` for what a command takes, with examples.`

/** Reads the words after the program's name. Throws USAGE_WRONG with a suggestion where one is near. */
export function parseCommandLine(parts: ProgramParts, words: readonly string[], look: HelpLook): Request {
  const printed: string[] = []
  let request: Request | undefined
  const root = rootParser(parts, look, (text) => printed.push(text))
  const families = new Map<string, Parser>()
  for (const command of parts.commands) {
    const [first = '', second] = command.definition.name.split(' ')
    const parent = second === undefined ? root : family(first, command.definition)
    addCommand(parent, command, look).action((...received: unknown[]) => {
      request = requestOf(command, root, received.at(-1))
    })
  }
  try {
    root.parse(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return { kind: 'text', text: printed.join(''), isUsageWrong: error.code === 'commander.help' }
  }
  return request ?? { kind: 'text', text: root.helpInformation(), isUsageWrong: true }

  function family(word: string, definition: CommandDefinition): Parser {
    const known = families.get(word)
    if (known !== undefined) return known
    const made = root.command(word).summary(parts.families[word] ?? '')
    made
      .description(parts.families[word] ?? '')
      .usage('COMMAND')
      .helpGroup(`${definition.section}:`)
    made.commandsGroup('Commands:').helpCommand(false)
    failAs(made, `${NAME} ${word}`)
    families.set(word, made)
    return made
  }
}

function rootParser(parts: ProgramParts, look: HelpLook, print: (text: string) => void): Parser {
  const root = new Parser(NAME)
  root
    .description(SUMMARY)
    .usage('COMMAND [arguments] [options]')
    .helpCommand(false)
    .enablePositionalOptions()
    .version(parts.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help, also after a command')
    .configureOutput({
      writeOut: print,
      writeErr: print,
      outputError: () => {},
      getOutHelpWidth: () => Math.min(look.width, HELP_WIDTH_MAX),
      getErrHelpWidth: () => Math.min(look.width, HELP_WIDTH_MAX),
      getOutHasColors: () => true,
      getErrHasColors: () => true,
    })
    .configureHelp({
      optionTerm: (option) => withoutBrackets(option.flags),
      subcommandTerm: (command) => command.name(),
      styleTitle: (title) => look.paint('bold', title),
      styleOptionTerm: (term) => look.paint('cyan', term),
      styleSubcommandTerm: (term) => look.paint('cyan', term),
      styleArgumentTerm: (term) => look.paint('cyan', term),
    })
    .addHelpText('after', ROOT_HELP_END)
  // Every command shows them in its own help; here they would bury the commands.
  addOptions(root, COMMON_OPTIONS, undefined)
  failAs(root, NAME)
  return root
}

function addCommand(parent: Parser, { definition }: Command, look: HelpLook): Parser {
  const word = definition.name.split(' ').at(-1) ?? definition.name
  const parser = parent.command(word).summary(definition.summary).description(definition.description)
  parser
    .usage(synopsis(definition).slice(definition.name.length + 1))
    .addHelpOption(new Option('-h, --help', 'show this help').helpGroup('Output:'))
  if (parent.parent === null) parser.helpGroup(`${definition.section}:`)
  for (const argument of Object.values(definition.arguments)) {
    parser.argument(bracketed(argument), argument.description)
  }
  addOptions(parser, definition.options, 'Options:')
  if (definition.repository !== 'none') addOptions(parser, REPOSITORY_OPTIONS, 'Repository:')
  addOptions(parser, OUTPUT_OPTIONS, 'Output:')
  const examples = definition.examples.flatMap((example) => [
    `  ${look.paint('dim', `# ${example.description}`)}`,
    `  ${example.line}`,
  ])
  parser.addHelpText('after', `\n${look.paint('bold', 'Examples:')}\n${examples.join('\n')}`)
  failAs(parser, `${NAME} ${definition.name}`)
  return parser
}

/** Without a group the options are understood but not shown. */
function addOptions(parser: Parser, options: OptionDefinitions, group: string | undefined): void {
  for (const option of Object.values(options)) {
    const made = parserOption(option)
    parser.addOption(group === undefined ? made.hideHelp() : made.helpGroup(group))
  }
}

function parserOption(option: OptionDefinition): Option {
  const value = 'valueName' in option ? ` <${option.valueName}>` : ''
  const short = option.short === undefined ? '' : `-${option.short}, `
  const made = new Option(`${short}${longFlag(option)}${value}`, describe(option))
  if (option.kind === 'list') {
    made.argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text])
  }
  if ('required' in option && option.required) made.makeOptionMandatory()
  return made
}

function describe(option: OptionDefinition): string {
  const standard = 'default' in option && option.default !== undefined ? ` (default: ${option.default})` : ''
  const variable = option.environment === undefined ? '' : ` (or ${option.environment})`
  return `${option.description}${standard}${variable}`
}

function requestOf(command: Command, root: Parser, parser: unknown): Request {
  if (!(parser instanceof Parser)) throw new TypeError('The parser gave no command to its action')
  const local = parser.opts()
  return {
    kind: 'run',
    command,
    arguments: parser.processedArgs,
    options: byKey(command.definition.options, local),
    // A common option may stand before the command or after it; the later one wins.
    common: { ...byKey(COMMON_OPTIONS, root.opts()), ...byKey(COMMON_OPTIONS, local) },
  }
}

/** The parser names a value after its flag; a definition by its key. Only what was given is in the result. */
function byKey(options: OptionDefinitions, found: RawValues): RawValues {
  const entries = Object.entries(options).map(
    ([key, option]) => [key, found[parserOption(option).attributeName()]] as const,
  )
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

function bracketed(argument: ArgumentDefinition): string {
  const term = argumentTerm(argument)
  return term.startsWith('[') ? term : `<${term}>`
}

function withoutBrackets(flags: string): string {
  return flags.replaceAll(/[<>]/g, '')
}

function failAs(parser: Parser, name: string): void {
  parser.exitOverride((error) => {
    if (error.exitCode === 0 || error.code === 'commander.help') throw error
    throw usageFailureOf(error, name)
  })
}
