import assert from 'node:assert/strict'
import test from 'node:test'
import { isBackupError } from '../domain/backup-error.ts'
import { BACKUP } from './commands/backup.ts'
import { CHECK } from './commands/check.ts'
import { FORGET } from './commands/forget.ts'
import { INIT } from './commands/init.ts'
import { KEY_LIST, KEY_REMOVE } from './commands/key.ts'
import { RESTORE } from './commands/restore.ts'
import { type Command, command } from './invocation.ts'
import { parseCommandLine, type Request } from './program.ts'
import { readArguments, readOptions } from './read-values.ts'

const LOOK = { width: 80, paint: (_style: string, text: string): string => text }
const never = (): Promise<never> => Promise.reject(new Error('not run here'))
const COMMANDS: readonly Command[] = [
  command(INIT, never),
  command(BACKUP, never),
  command(RESTORE, never),
  command(CHECK, never),
  command(FORGET, never),
  command(KEY_LIST, never),
  command(KEY_REMOVE, never),
]
const PARTS = { commands: COMMANDS, families: { key: 'key slots' }, version: '1.2.3' }

function parse(...words: string[]): Request {
  return parseCommandLine(PARTS, words, LOOK)
}

function values(...words: string[]): {
  arguments: unknown
  options: Record<string, unknown>
  common: unknown
} {
  const request = parse(...words)
  assert.equal(request.kind, 'run')
  const { definition } = request.command
  return {
    arguments: { ...readArguments(definition.arguments, request.arguments, 'icecore x') },
    options: { ...readOptions(definition.options, request.options, 'icecore x') },
    common: request.common,
  }
}

function refusal(...words: string[]): { message: string; data: unknown } {
  try {
    values(...words)
  } catch (error) {
    assert.ok(isBackupError(error, 'USAGE_WRONG'), String(error))
    return { message: error.message, data: error.data }
  }
  assert.fail(`accepted: ${words.join(' ')}`)
}

test('parseCommandLine() reads arguments and options into domain values', () => {
  const read = values(
    'backup',
    'a.img',
    'b.img',
    '-r',
    'repo',
    '--tag',
    'x',
    '--tag',
    'y',
    '--base',
    'latest',
  )
  assert.deepEqual(read.arguments, { sources: ['a.img', 'b.img'] })
  assert.partialDeepStrictEqual(read.options, {
    tags: ['x', 'y'],
    base: { kind: 'point', reference: 'latest' },
    provider: 'auto',
    fullRead: false,
    paths: [],
    witnesses: 256,
    configuredHooks: true,
  })
  const { changes, lanes, agent } = read.options
  assert.deepEqual([changes, lanes, agent], [undefined, undefined, undefined])
  assert.deepEqual(read.common, { repository: 'repo' })
})

test('parseCommandLine() takes common options before the command and after it; the later one wins', () => {
  assert.deepEqual(values('-r', 'one', '--json', 'check').common, { repository: 'one', json: true })
  assert.deepEqual(values('-r', 'one', 'check', '-r', 'two').common, { repository: 'two' })
  assert.deepEqual(values('check', '-r', 'x', '--no-progress').common, {
    repository: 'x',
    progress: false,
    progressShown: false,
  })
})

test('parseCommandLine() reads switches that are on unless they are switched off', () => {
  assert.equal(values('init', 'x').options['encryption'], true)
  assert.equal(values('init', 'x', '--no-encryption').options['encryption'], false)
  assert.equal(values('check', '--no-key').options['key'], false)
})

test('parseCommandLine() takes commands of two words', () => {
  assert.deepEqual(values('key', 'remove', '2', '-r', 'x').arguments, { slot: '2' })
  const alone = parse('key')
  assert.equal(alone.kind, 'text')
  assert.equal(alone.isUsageWrong, true)
  assert.match(alone.text, /list\s+list key slots/)
})

test('parseCommandLine() refuses what it does not know and says what is near', () => {
  assert.deepEqual(refusal('chek'), {
    message: 'Cannot run "icecore": unknown command "chek"',
    data: { command: 'icecore', suggestion: 'check' },
  })
  assert.deepEqual(refusal('check', '--dta'), {
    message: 'Cannot run "icecore check": unknown option "--dta"',
    data: { command: 'icecore check', suggestion: '--data' },
  })
  assert.equal(refusal('key', 'lst').message, 'Cannot run "icecore key": unknown command "lst"')
})

test('parseCommandLine() refuses words that are missing or too many', () => {
  assert.equal(refusal('backup').message, 'Cannot run "icecore backup": argument SOURCE is missing')
  assert.equal(
    refusal('restore', 'latest').message,
    'Cannot run "icecore restore": option "--to TARGET" is required',
  )
  assert.equal(
    refusal('backup', 'x', '-r').message,
    'Cannot run "icecore backup": option "--repo" needs a REPO',
  )
  assert.equal(
    refusal('check', 'x').message,
    'Cannot run "icecore check": 1 argument is given, expected none',
  )
})

test('parseCommandLine() refuses values that mean nothing and names their option', () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['init', 'x', '--chunk-size', '100KiB'], /--chunk-size: cannot read "100KiB": expected a power of two/],
    [['init', 'x', '--chunk-size', '8KiB'], /--chunk-size: cannot read "8KiB"/],
    [['init', 'x', '--chunk-size', 'big'], /--chunk-size: cannot read size "big"/],
    [
      ['init', 'x', '--compression', 'zstd:20'],
      /--compression: cannot read "zstd:20": expected zstd:1 to zstd:19/,
    ],
    [['init', ''], /REPO: cannot read value: it is empty/],
    [['backup', 'x', '--witnesses', '-1'], /--witnesses: cannot read "-1": expected a whole number from 0/],
    [['backup', 'x', '--lanes', '0'], /--lanes: cannot read "0": expected a whole number from 1/],
    [['restore', 'Zed', '--to', 'x'], /POINT: cannot read point "Zed": expected an id/],
    [['restore', 'ab', '--to', 'x', '--sparse', 'no'], /--sparse: cannot read "no": expected auto or never/],
    [['check', '--sample', '0'], /--sample: cannot read "0": expected a percentage/],
  ]
  for (const [words, expected] of cases) assert.match(refusal(...words).message, expected)
})

test('parseCommandLine() gives help in groups, in lines that fit', () => {
  const top = parse('--help')
  assert.equal(top.kind, 'text')
  assert.equal(top.isUsageWrong, false)
  assert.match(top.text, /^Main:\n {2}init .*\n {2}backup .*\n {2}restore /m)
  assert.match(top.text, /^Keeping:\n {2}check .*\n {2}forget .*\n {2}key /m)
  for (const { definition } of COMMANDS) {
    const help = parse(...definition.name.split(' '), '--help')
    assert.equal(help.kind, 'text')
    assert.match(help.text, /^Usage: icecore /)
    assert.match(help.text, /\nRepository:\n[^]*\nOutput:\n[^]*\nExamples:\n/)
    const examples = help.text.indexOf('\nExamples:')
    const wide = help.text
      .slice(0, examples)
      .split('\n')
      .filter((line) => line.length > 80)
    assert.deepEqual(wide, [], definition.name)
  }
})

test('parseCommandLine() gives the version, and help as wrong usage when nothing is asked for', () => {
  assert.deepEqual(parse('--version'), { kind: 'text', text: '1.2.3\n', isUsageWrong: false })
  const nothing = parse()
  assert.equal(nothing.kind, 'text')
  assert.equal(nothing.isUsageWrong, true)
})
