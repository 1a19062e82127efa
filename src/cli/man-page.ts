import {
  argumentTerm,
  type CommandDefinition,
  longFlag,
  type OptionDefinition,
  type OptionDefinitions,
  synopsis,
} from './command.ts'
import { OUTPUT_OPTIONS, REPOSITORY_OPTIONS } from './common-options.ts'
import { EXIT_CODE_MEANINGS } from './exit-code.ts'

/** icecore(1) in the macros of man(7), made from the definitions of the commands. */
export function manPage(definitions: readonly CommandDefinition[], version: string): string {
  return [
    // No date: the page is the same whenever it is made.
    `.TH ICECORE 1 "" "icecore ${version}" "User Commands"`,
    '.SH NAME',
    String.raw`icecore \- back up Linux block storage off the host that owns it`,
    '.SH SYNOPSIS',
    '.B icecore',
    '.I COMMAND',
    String.raw`[\fIoptions\fR]`,
    '.SH COMMANDS',
    ...definitions.flatMap(commandPart),
    '.SH COMMON OPTIONS',
    'Every command takes these; those of the repository only where there is one.',
    ...optionParts({ ...REPOSITORY_OPTIONS, ...OUTPUT_OPTIONS }),
    ...ENVIRONMENT,
    ...FILES,
    '.SH EXIT STATUS',
    ...Object.entries(EXIT_CODE_MEANINGS).flatMap(([code, meaning]) => ['.TP', code, textLine(meaning)]),
    '',
  ].join('\n')
}

const ENVIRONMENT = [
  '.SH ENVIRONMENT',
  ...entry('ICECORE_REPOSITORY', 'the repository, when --repo is not given'),
  ...entry('ICECORE_PASSWORD_FILE', 'as --password-file'),
  ...entry('ICECORE_PASSWORD_COMMAND', 'as --password-command'),
  ...entry('ICECORE_PASSWORD', 'the password itself; other programs of the same user can read it'),
  ...entry('ICECORE_AUTHORITY', 'as --authority'),
  ...entry('ICECORE_AGENT_FOLDER', 'as --folder of the agent'),
  ...entry('NO_COLOR', 'when it is set, nothing is coloured'),
]

const FILES = [
  '.SH FILES',
  ...entry('$XDG_CONFIG_HOME/icecore/icecore.yaml', 'the configuration of a person (~/.config without it)'),
  ...entry('/etc/icecore/icecore.yaml', 'the configuration of the machine'),
  ...entry('/etc/icecore/authority', 'the certificate authority of a mover that root runs'),
  ...entry(
    '/etc/icecore/agent',
    'the key, the certificates and the configuration of an agent that root runs',
  ),
  '.PP',
  'The keys are repository, passwordFile, passwordCommand, lanes, cacheFolder, authority and agentFolder.',
  'Options win over the environment, the environment over files, and the file of a person over that of the machine.',
]

function commandPart(definition: CommandDefinition): readonly string[] {
  const argumentLines = Object.values(definition.arguments).flatMap((argument) =>
    entry(argumentTerm(argument), argument.description),
  )
  const examples = definition.examples.flatMap((example) => [
    '.PP',
    `${textLine(example.description)}:`,
    '.PP',
    '.RS',
    '.EX',
    textLine(example.line),
    '.EE',
    '.RE',
  ])
  return [
    `.SS icecore ${escaped(synopsis(definition))}`,
    ...definition.description.split('\n\n').flatMap((paragraph) => ['.PP', textLine(paragraph)]),
    ...argumentLines,
    ...optionParts(definition.options),
    ...examples,
  ]
}

function optionParts(options: OptionDefinitions): readonly string[] {
  return Object.values(options).flatMap((option) => entry(optionTerm(option), optionText(option)))
}

function optionTerm(option: OptionDefinition): string {
  const value = 'valueName' in option ? ` ${option.valueName}` : ''
  return `${option.short === undefined ? '' : `-${option.short}, `}${longFlag(option)}${value}`
}

function optionText(option: OptionDefinition): string {
  const standard = 'default' in option && option.default !== undefined ? ` (default: ${option.default})` : ''
  return `${option.description}${standard}`
}

function entry(term: string, text: string): readonly string[] {
  return ['.TP', `.B ${escaped(term)}`, textLine(text)]
}

/** A line of text must not begin with what roff takes for a request. */
function textLine(text: string): string {
  const line = escaped(text)
  return /^[.']/.test(line) ? String.raw`\&${line}` : line
}

/** Dashes of options are minus signs, so that they can be copied; backslashes begin escapes. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replaceAll("'", String.raw`\(aq`)
    .replaceAll('`', String.raw`\(ga`)
    .replaceAll('~', String.raw`\(ti`)
    .replaceAll('^', String.raw`\(ha`)
    .replaceAll('"', String.raw`\(dq`)
}
