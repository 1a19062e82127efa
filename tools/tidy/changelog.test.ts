import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { test } from 'node:test'

import { textOf, writtenFiles } from './checkout.ts'

const FIRST_LINE = /^(Added|Changed|Fixed|Removed|Security): \S.{9,90}$/
const TEMPLATE = 'changelog/unreleased/TEMPLATE.md'

for (const path of writtenFiles('changelog/unreleased/*')) {
  test(`${path} has the form of a changelog entry`, () => {
    if (path !== TEMPLATE) assert.match(basename(path), /^[a-z0-9]+(-[a-z0-9]+)*\.md$/)
    const [first = '', second, ...rest] = textOf(path).split('\n')
    assert.match(first, FIRST_LINE)
    assert.doesNotMatch(first, /\.$/, 'the first line is a headline: no full stop')
    assert.equal(second, '', 'the second line is empty')
    assert.ok(rest.join('\n').trim().length >= 40, 'the text says what it means for the user')
  })
}
