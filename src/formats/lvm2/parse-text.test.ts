import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { FormatError } from '../format-error.ts'
import { parseText } from './parse-text.ts'
import type { TextSection } from './text-section.ts'

const place = (position: number): { structure: string; offsetBytes: number } => ({
  structure: 'text',
  offsetBytes: position,
})

function parse(text: string | Uint8Array): TextSection {
  return parseText(typeof text === 'string' ? new TextEncoder().encode(text) : text, place)
}

test('parseText() reads sections, strings, numbers, arrays and comments', () => {
  const text = parse(`
    # a comment { "
    name = "a \\"quoted\\" \\\\ word"	# behind
    plain = 'as \\ it is'
    count=12 negative = -3 part = 1.5 large = 4611686018427387904
    empty = []
    pair = [ "pv0", 7, ]
    outer { inner { deep = 1 } }
    7 { digit = "names may begin with one" }
  `)
  assert.equal(text.string('name'), 'a "quoted" \\ word')
  assert.equal(text.string('plain'), 'as \\ it is')
  assert.equal(text.integer('count'), 12)
  assert.equal(text.integer('negative', { min: -5 }), -3)
  assert.deepEqual(text.findStrings('empty'), [])
  assert.deepEqual(
    text.findArray('pair').map((item) => item.value),
    ['pv0', 7],
  )
  assert.equal(text.findSection('outer')?.findSection('inner')?.path, 'outer/inner')
  assert.equal(text.findSection('7')?.findString('digit'), 'names may begin with one')
  assert.equal(text.findSection('none'), null)
})

test('parseText() says where the text is wrong', () => {
  const cases: readonly (readonly [text: string, found: RegExp])[] = [
    ['a = "no end', /at byte 4: a string has no closing quote/],
    ['a = "no end\\', /at byte 4: a string has no closing quote/],
    ['a { b = 1', /at byte 9: found the end of the text, expected "}"/],
    ['a { b = 1 } }', /at byte 12: found "}", expected a name/],
    ['a 1', /at byte 2: found "1", expected "="/],
    ['a = ', /at byte 4: found the end of the text, expected a number or a string/],
    ['a = [1 2]', /at byte 7: found "2", expected ","/],
    ['a = [', /at byte 5: found the end/],
    ['a = [[1]]', /at byte 5: found "\["/],
    ['a = word', /at byte 4: found "word"/],
    ['a = 1 a = 2', /at byte 10: there is a second "a"/],
    ['a = 1\0b = 2', /at byte 5: there is a byte of value 0/],
    [`${'a {'.repeat(20)}${'}'.repeat(20)}`, /sections lie more than 16 deep/],
    ['x'.repeat(2000), /at byte 0: a word has more than 1024 bytes/],
  ]
  for (const [text, found] of cases) assert.throws(() => parse(text), found)
})

test('TextSection says what it holds when something else is asked for', () => {
  const text = parse('s = "1" n = 1 a = [1] big = 99999999999999999999 half = 0.5 o { }')
  assert.throws(() => text.string('n'), /"n" is a number, expected a string/)
  assert.throws(() => text.integer('s'), /"s" is a string, expected a number/)
  assert.throws(() => text.integer('big'), /"big" is 100000000000000000000, expected a whole number/)
  assert.throws(() => text.integer('half'), /"half" is 0.5/)
  assert.throws(() => text.integer('n', { min: 2 }), /"n" is 1, expected a whole number of 2 to/)
  assert.throws(() => text.integer('none'), /"none" is missing/)
  assert.throws(() => text.findStrings('a'), /"a" is a number, expected an array of strings/)
  assert.throws(() => text.findArray('o'), /"o" is a section, expected an array/)
  assert.throws(() => text.findSection('s'), /"s" is a string, expected a section/)
})

test('parseText() is not led astray by the names of objects', () => {
  const text = parse('__proto__ { constructor = 1 } toString = "x"')
  assert.equal(text.findSection('__proto__')?.integer('constructor'), 1)
  assert.equal(text.findString('valueOf'), null)
})

test('parseText() of any bytes ends, with a section or a FormatError', () => {
  const pieces = fc.constantFrom('a', '{', '}', '[', ']', '=', ',', '"', "'", '\\', '#', '\n', ' ', '1', '\0')
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
      try {
        parse(parts.join(''))
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
      }
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        parse(bytes)
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
      }
    }),
  )
})
