import type { CommandDefinition } from '../command.ts'
import type { CompletionParts } from './completion-script.ts'
import { firstWords, flagsOf, type Offer, offerOfArgument, offerOfOption, optionsOf } from './offers.ts'

/**
 * Bash has no idea of commands: the script finds which one the words before the cursor name, then offers by
 * `COMMAND:PREVIOUS WORD` and by `COMMAND`. Values of options are jumped over, so that a repository called
 * "backup" is not taken for the command.
 */
export function bashScript({ definitions, families }: CompletionParts): string {
  const valueFlags = new Set(
    definitions.flatMap(optionsOf).flatMap((option) => (offerOfOption(option) ? flagsOf(option) : [])),
  )
  const tops = firstWords(definitions, families)
  return [
    ...HEAD,
    `      ${[...valueFlags].join('|')}) ((index++)); continue ;;`,
    '    esac',
    '    case "$command:${COMP_WORDS[index]}" in',
    ...[...tops.keys()].map((word) => `      ':${word}') command='${word}' ;;`),
    ...definitions.filter(hasTwoWords).map(secondWordCase),
    '    esac',
    '  done',
    '  case "$command:$previous" in',
    ...definitions.flatMap(optionCases),
    '  esac',
    '  if [[ $current == -* ]]; then',
    '    case "$command" in',
    `      '') ${offerWords(['--help', '--version'])} ;;`,
    ...definitions.map(flagCase),
    '    esac',
    '    return',
    '  fi',
    '  case "$command" in',
    `    '') ${offerWords([...tops.keys()])} ;;`,
    ...[...tops].flatMap(([word, { seconds }]) =>
      seconds.length === 0 ? [] : [`    '${word}') ${offerWords(seconds.map(secondWord))} ;;`],
    ),
    ...definitions.flatMap(argumentCase),
    '  esac',
    '}',
    'complete -F _icecore icecore',
    '',
  ].join('\n')
}

const HEAD = `# bash completion for icecore
_icecore_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2"); }
_icecore_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$1"); }
_icecore_folders() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$1"); }

_icecore() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command='' index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${COMP_WORDS[index]}" in`.split('\n')

function hasTwoWords({ name }: CommandDefinition): boolean {
  return name.includes(' ')
}

function secondWordCase({ name }: CommandDefinition): string {
  return `      ${quoted(name.replace(' ', ':'))}) command=${quoted(name)} ;;`
}

function optionCases(definition: CommandDefinition): readonly string[] {
  return optionsOf(definition).flatMap((option) => {
    const offer = offerOfOption(option)
    if (offer === undefined) return []
    const places = flagsOf(option).map((flag) => quoted(`${definition.name}:${flag}`))
    return [`    ${places.join('|')}) ${actionOf(offer)}; return ;;`]
  })
}

function flagCase(definition: CommandDefinition): string {
  const flags = [...optionsOf(definition).flatMap(flagsOf), '--help']
  return `      ${quoted(definition.name)}) ${offerWords(flags)} ;;`
}

function argumentCase(definition: CommandDefinition): readonly string[] {
  const [argument] = Object.values(definition.arguments)
  const offer = argument === undefined ? undefined : offerOfArgument(argument)
  if (offer === undefined || offer.kind === 'nothing') return []
  return [`    ${quoted(definition.name)}) ${actionOf(offer)} ;;`]
}

function actionOf(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return offerWords(offer.words)
    case 'file':
      return '_icecore_files "$current"'
    case 'folder':
      return '_icecore_folders "$current"'
    case 'nothing':
      return ':'
  }
}

function offerWords(words: readonly string[]): string {
  return `_icecore_words ${quoted(words.join(' '))} "$current"`
}

function secondWord(definition: CommandDefinition): string {
  return definition.name.split(' ')[1] ?? ''
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
