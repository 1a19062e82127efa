import type { ArgumentDefinition, CommandDefinition, OptionDefinition } from '../command.ts'
import type { CompletionParts } from './completion-script.ts'
import { firstWords, flagsOf, type Offer, offerOfArgument, offerOfOption, optionsOf } from './offers.ts'

/** One function for each command; `_arguments` of zsh does the work. */
export function zshScript({ definitions, families }: CompletionParts): string {
  const tops = firstWords(definitions, families)
  const described = [...tops].map(([word, { summary }]) => `    ${quoted(`${word}:${summary}`)}`)
  const functions = [
    ...definitions.map(commandFunction),
    ...[...tops].flatMap(([word, { seconds }]) =>
      seconds.length > 0 ? [familyFunction(word, seconds)] : [],
    ),
  ]
  return `#compdef icecore
# zsh completion for icecore

${functions.join('\n')}
_icecore() {
  local -a commands
  local state
  commands=(
${described.join('\n')}
  )
  _arguments -C '(- *)--help[show help]' '(- *)--version[print the version]' '1: :->command' '*:: :->rest'
  case $state in
    command) _describe -t commands 'command' commands ;;
    rest) (( $+functions[_icecore_$words[1]] )) && _icecore_$words[1] ;;
  esac
}

if [[ $funcstack[1] == _icecore ]]; then
  _icecore "$@"
else
  compdef _icecore icecore
fi
`
}

function commandFunction(definition: CommandDefinition): string {
  const lines = [
    "'(- *)--help[show help]'",
    ...optionsOf(definition).map(optionSpec),
    ...Object.values(definition.arguments).map(argumentSpec),
  ]
  return `_icecore_${definition.name.replace(' ', '_')}() {
  _arguments -s \\
    ${lines.join(' \\\n    ')}
}
`
}

function familyFunction(word: string, seconds: readonly CommandDefinition[]): string {
  const described = seconds.map(({ name, summary }) => `    ${quoted(`${name.split(' ')[1]}:${summary}`)}`)
  return `_icecore_${word}() {
  local -a commands
  local state
  commands=(
${described.join('\n')}
  )
  _arguments -C '1: :->command' '*:: :->rest'
  case $state in
    command) _describe -t commands 'command' commands ;;
    rest) (( $+functions[_icecore_${word}_$words[1]] )) && _icecore_${word}_$words[1] ;;
  esac
}
`
}

function optionSpec(option: OptionDefinition): string {
  const offer = offerOfOption(option)
  const flags = flagsOf(option)
  const value =
    offer === undefined ? '' : `:${'valueName' in option ? option.valueName : ''}:${actionOf(offer)}`
  const text = quoted(`[${escaped(option.description)}]${value}`)
  if (option.kind === 'list') return flags.map((flag) => `'*'${flag}${text}`).join(' ')
  const [long = ''] = flags
  return flags.length === 1 ? `${long}${text}` : `'(${flags.join(' ')})'{${flags.join(',')}}${text}`
}

function argumentSpec(argument: ArgumentDefinition): string {
  const many = argument.count === 'many' || argument.count === 'any'
  return quoted(`${many ? '*' : ''}:${argument.name}:${actionOf(offerOfArgument(argument))}`)
}

function actionOf(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return `(${offer.words.join(' ')})`
    case 'file':
      return '_files'
    case 'folder':
      return '_files -/'
    case 'nothing':
      return ' '
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, String.raw`\$&`)
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
