import assert from 'node:assert/strict'
import test from 'node:test'
import { splitWords } from './split-words.ts'

test('splitWords() parts words at blanks and keeps what is quoted', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['pass show backup', ['pass', 'show', 'backup']],
    ['  pass \t show\n', ['pass', 'show']],
    [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
    [`a"b c"'d e'f`, ['ab cd ef']],
    [`a '' ""`, ['a', '', '']],
    [`a\\ b "c\\"d\\\\e\\n" 'f\\g'`, ['a b', 'c"d\\e\\n', 'f\\g']],
    ['echo $HOME `x` * | y', ['echo', '$HOME', '`x`', '*', '|', 'y']],
    ['["a b", "c"]', ['a b', 'c']],
  ]
  for (const [text, words] of cases) assert.deepEqual(splitWords(text), words)
})

test('splitWords() refuses what it cannot part', () => {
  for (const text of ['', '  ', `a 'b`, 'a "b', 'a\\', '[]', '[1]', '["a"', `''`]) {
    assert.throws(() => splitWords(text), SyntaxError, text)
  }
})
