import assert from 'node:assert/strict'
import { test } from 'node:test'

import { textOf, writtenFiles } from './checkout.ts'

const OWN = 'tools/tidy/words.test.ts'
const files = writtenFiles(
  '{src,test,tools,bench}/**/*.{js,ts}',
  '{docs,changelog}/**/*.md',
  '*.md',
  '*.json',
  '*.config.ts',
  '.ci/*',
).filter((path) => path !== OWN)

function linesWith(pattern: RegExp): string[] {
  return files.flatMap((path) =>
    textOf(path)
      .split('\n')
      .map((line, index) => ({ line, place: `${path}:${index + 1}` }))
      .filter(({ line }) => pattern.test(line))
      .map(({ line, place }) => `${place}: ${line.trim().slice(0, 100)}`),
  )
}

test('nothing is left for later in a comment', () => {
  assert.deepEqual(linesWith(/\b(TODO|FIXME|XXX|HACK)\b/), [])
})

test('no test is switched to run alone', () => {
  assert.deepEqual(linesWith(/\b(test|it|describe|suite)\.only\(|\bonly: true\b/), [])
})

test('packages come from wherever the user of the checkout gets them: no registry is named', () => {
  assert.deepEqual(linesWith(/registry\.|npmjs|yarnpkg|jsdelivr|unpkg/i), [])
})

test('a rule that is switched off says why, after `--` or in a comment above', () => {
  const wrong = files.flatMap((path) => {
    const lines = textOf(path).split('\n')
    return lines
      .map((line, index) => ({ line, above: lines[index - 1] ?? '', place: `${path}:${index + 1}` }))
      .filter(({ line }) => /(oxlint|eslint)-disable|@ts-(ignore|nocheck|expect-error)/.test(line))
      .filter(({ line, above }) => !/ -- \S|: \S/.test(line) && !/^\s*(\/\/|\*)/.test(above))
      .map(({ place }) => place)
  })
  assert.deepEqual(wrong, [])
})
