/**
 * Splits a command into words as a shell would, and does nothing else of what a shell does: no variables, no
 * globs, no pipes. Words are parted by blanks; '…' keeps everything, "…" keeps all but \" and \\, and elsewhere
 * a backslash keeps the next character. A text that begins with `[` is a JSON array of strings instead.
 * Throws SyntaxError when a quote stays open or there is no word.
 */
export function splitWords(text: string): readonly string[] {
  const words = text.trimStart().startsWith('[') ? jsonWords(text) : quotedWords(text)
  if (words.length === 0 || words[0] === '') {
    throw new SyntaxError('Cannot read command: it is empty, expected a program')
  }
  return words
}

function jsonWords(text: string): readonly string[] {
  const words: unknown = JSON.parse(text)
  if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words
  throw new SyntaxError('Cannot read command: expected a JSON array of strings')
}

// One part of a word: '…', "…" with escapes, an escaped character, or a run of plain characters.
const PART = /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/y

function quotedWords(text: string): readonly string[] {
  const words: string[] = []
  let at = 0
  while (at < text.length) {
    const blanks = /\s*/y
    blanks.lastIndex = at
    blanks.exec(text)
    at = blanks.lastIndex
    if (at === text.length) break
    const { word, end } = takeWord(text, at)
    words.push(word)
    at = end
  }
  return words
}

function takeWord(text: string, start: number): { readonly word: string; readonly end: number } {
  let word = ''
  let end = start
  while (end < text.length && !/\s/.test(text.charAt(end))) {
    PART.lastIndex = end
    const match = PART.exec(text)
    if (match === null) {
      const what = text.charAt(end) === '\\' ? 'it ends with a backslash' : 'a quote is not closed'
      throw new SyntaxError(`Cannot read command: ${what}`)
    }
    const [, single, double, escaped, plain] = match
    word += single ?? double?.replaceAll(/\\(["\\])/g, '$1') ?? escaped ?? plain ?? ''
    end = PART.lastIndex
  }
  return { word, end }
}
