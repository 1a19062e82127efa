import assert from 'node:assert/strict'
import { basename, dirname } from 'node:path'
import { test } from 'node:test'

import { textOf, writtenFiles } from './checkout.ts'

const DRAWERS = [
  'common',
  'helper',
  'helpers',
  'index',
  'interfaces',
  'lib',
  'manager',
  'misc',
  'types',
  'util',
  'utils',
]
// What is generated has the names that the generator gives.
const sources = writtenFiles('{src,test,tools,bench}/**/*.ts').filter(
  (path) => !path.startsWith('src/rpc/gen/'),
)

test('every source file and folder has a kebab-case name', () => {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*$/
  const wrong = sources.filter((path) => {
    // The generator names its files after those that it reads.
    if (path.startsWith('src/rpc/gen/')) return false
    const stem = basename(path).replace(/(\.test|\.config)?(\.d)?\.ts$/, '')
    return ![...dirname(path).split('/'), stem].every((name) => kebab.test(name))
  })
  assert.deepEqual(wrong, [])
})

test('no file or folder is a drawer for what has no name', () => {
  const wrong = sources.filter((path) =>
    path.split('/').some((name) => DRAWERS.includes(name.replace(/(\.test)?\.ts$/, ''))),
  )
  assert.deepEqual(wrong, [])
})

test('no file only passes on what others export', () => {
  const wrong = sources.filter((path) => /^export (\*|type \*|\{[^}]*\} from)/m.test(textOf(path)))
  assert.deepEqual(wrong, [])
})

test('every unit test stands beside the file that it tests', () => {
  const wrong = writtenFiles('src/**/*.test.ts').filter(
    (path) => !sources.some((other) => dirname(other) === dirname(path) && !other.endsWith('.test.ts')),
  )
  assert.deepEqual(wrong, [])
})
