import assert from 'node:assert/strict'
import test from 'node:test'
import { COMMON_OPTIONS } from './common-options.ts'
import { readOptions } from './read-values.ts'
import { type Settings, settle } from './settings.ts'

type Environment = Readonly<Record<string, string | undefined>>
const CONFIGURATION = { repository: '/file', passwordFile: '/pw', lanes: 2 }

function settled(given: Readonly<Record<string, unknown>>, environment: Environment): Settings {
  return settle(readOptions(COMMON_OPTIONS, given, 'icecore x'), environment, CONFIGURATION)
}

function origin(given: Readonly<Record<string, unknown>>, environment: Environment): string | undefined {
  return settled(given, environment).passwordSource?.origin
}

function folders(given: Environment, configuration: object): readonly string[] {
  const options = readOptions(COMMON_OPTIONS, {}, 'icecore x')
  const { authorityFolder, agentFolder } = settle(options, given, configuration)
  return [authorityFolder, agentFolder]
}

test('settle() lets options win over the environment, and the environment over files', () => {
  const environment = { ICECORE_REPOSITORY: '/environment' }
  assert.equal(settled({ repository: '/option' }, environment).repository, '/option')
  assert.equal(settled({}, environment).repository, '/environment')
  assert.equal(settled({}, { ICECORE_REPOSITORY: '' }).repository, '/file')
})

test('settle() finds the folders of mover and agent: environment, file, usual place', () => {
  const environment = { ICECORE_AUTHORITY: '/e/authority', HOME: '/home/me' }
  const file = { authority: '/f/authority', agentFolder: '/f/agent' }
  assert.deepEqual(folders(environment, file), ['/e/authority', '/f/agent'])
  assert.deepEqual(folders({ ICECORE_AGENT_FOLDER: '/e/agent' }, file), ['/f/authority', '/e/agent'])
  const usual = process.geteuid?.() === 0 ? '/etc/icecore' : '/home/me/.config/icecore'
  assert.deepEqual(folders({ HOME: '/home/me' }, {}), [`${usual}/authority`, `${usual}/agent`])
})

test('settle() takes the first source of a password: options, environment, files; file, command, text', () => {
  const all = { ICECORE_PASSWORD_FILE: '/e', ICECORE_PASSWORD_COMMAND: 'a b', ICECORE_PASSWORD: 'secret' }
  assert.equal(origin({ passwordFile: '/o', passwordCommand: 'c' }, all), '--password-file')
  assert.equal(origin({ passwordCommand: 'c' }, all), '--password-command')
  assert.equal(origin({}, all), 'ICECORE_PASSWORD_FILE')
  assert.equal(origin({}, { ...all, ICECORE_PASSWORD_FILE: '' }), 'ICECORE_PASSWORD_COMMAND')
  assert.equal(origin({}, { ICECORE_PASSWORD: 'secret' }), 'ICECORE_PASSWORD')
  assert.equal(origin({}, {}), 'passwordFile')
})

test('settle() refuses a password command that cannot be split', () => {
  assert.throws(() => settled({ passwordCommand: `pass 'x` }, {}), {
    code: 'USAGE_WRONG',
    message: 'Cannot use --password-command: a quote is not closed',
  })
})

test('settle() shows no progress when it is to be quiet', () => {
  assert.equal(settled({}, {}).progress, 'auto')
  assert.equal(settled({ progress: 'json' }, {}).progress, 'json')
  assert.equal(settled({ quiet: true }, {}).progress, 'none')
  assert.equal(settled({ progressShown: false }, {}).progress, 'none')
})
