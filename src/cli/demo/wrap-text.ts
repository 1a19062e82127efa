/** A number and its unit are one word. */
const UNIT_GAP = /(?<=\d) (?=(?:B|[KMGT]iB|ms|s|min|times?)\b)/g
const NO_BREAK = '\u00A0'

/** Breaks text at blanks into lines of at most `width` columns; a longer word gets a line of its own. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.replaceAll(UNIT_GAP, NO_BREAK).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((wrapped) => wrapped.replaceAll(NO_BREAK, ' '))
}
