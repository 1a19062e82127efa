import { type CommandDefinition, longFlag, type OptionDefinition } from '../command.ts'
import type { CompletionParts } from './completion-script.ts'
import { firstWords, type Offer, offerOfArgument, offerOfOption, optionsOf } from './offers.ts'

/** Fish takes one `complete` line for each thing that it may offer, with the condition under which it does. */
export function fishScript({ definitions, families }: CompletionParts): string {
  const lines = ['# fish completion for icecore', 'complete -c icecore -f']
  for (const [word, { summary, seconds }] of firstWords(definitions, families)) {
    lines.push(offerLine('__fish_use_subcommand', `-a ${quoted(word)}`, summary))
    const names = seconds.map(({ name }) => name.split(' ')[1] ?? '')
    const when = `__fish_seen_subcommand_from ${word}; and not __fish_seen_subcommand_from ${names.join(' ')}`
    for (const [at, second] of seconds.entries()) {
      lines.push(offerLine(when, `-a ${quoted(names[at] ?? '')}`, second.summary))
    }
  }
  return `${[...lines, ...definitions.flatMap(commandLines)].join('\n')}\n`
}

function commandLines(definition: CommandDefinition): readonly string[] {
  const when = definition.name
    .split(' ')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ')
  const argumentLines = Object.values(definition.arguments).flatMap((argument) => {
    const words = wordsOf(offerOfArgument(argument))
    return words === '' ? [] : [offerLine(when, words, argument.description)]
  })
  return [
    ...argumentLines,
    ...optionsOf(definition).map((option) => offerLine(when, flagWords(option), option.description)),
  ]
}

function flagWords(option: OptionDefinition): string {
  const offer = offerOfOption(option)
  const short = option.short === undefined ? '' : ` -s ${option.short}`
  const value = offer === undefined ? '' : ` -r ${wordsOf(offer)}`
  return `-l ${longFlag(option).slice(2)}${short}${value}`.trimEnd()
}

function wordsOf(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return `-a ${quoted(offer.words.join(' '))}`
    case 'file':
      return '-F'
    case 'folder':
      return `-a ${quoted('(__fish_complete_directories)')}`
    case 'nothing':
      return ''
  }
}

function offerLine(when: string, words: string, description: string): string {
  return `complete -c icecore -n ${quoted(when)} ${words} -d ${quoted(description)}`
}

/** In fish only the quote and the backslash are special between single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`
}
