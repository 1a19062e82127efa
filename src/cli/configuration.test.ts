import assert from 'node:assert/strict'
import { chmod, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { configurationPaths, parseConfiguration, readConfiguration } from './configuration.ts'

const PATH = '/etc/icecore/icecore.yaml'

test('configurationPaths() puts the own file before that of the machine', () => {
  assert.deepEqual(configurationPaths({ HOME: '/home/a' }), ['/home/a/.config/icecore/icecore.yaml', PATH])
  assert.deepEqual(configurationPaths({ HOME: '/home/a', XDG_CONFIG_HOME: '/c' }), [
    '/c/icecore/icecore.yaml',
    PATH,
  ])
  assert.deepEqual(configurationPaths({ XDG_CONFIG_HOME: 'relative' }), [PATH])
})

test('parseConfiguration() reads every key, and paths from the folder of the file', async () => {
  const text =
    'repository: repo\npasswordFile: pw\npasswordCommand: [pass, show]\nlanes: 4\ncacheFolder: /c\n'
  assert.deepEqual(await parseConfiguration(text, PATH), {
    repository: '/etc/icecore/repo',
    passwordFile: '/etc/icecore/pw',
    passwordCommand: ['pass', 'show'],
    lanes: 4,
    cacheFolder: '/c',
  })
  assert.deepEqual(await parseConfiguration('repository: s3:bucket/a', PATH), { repository: 's3:bucket/a' })
  assert.deepEqual(await parseConfiguration('# nothing yet\n', PATH), {})
})

test('parseConfiguration() reads hooks, and finds their programs from the folder of the file', async () => {
  const text = `
freezeDeadlineSeconds: 2.5
hooks:
  - beforeFreeze: [{command: [hooks/quiesce, --all]}]
    afterThaw:
      - {command: [logger, done], timeoutSeconds: 5, onFailure: abort}
  - {lineage: web, source: /dev/vg0/web, beforeFreeze: [{command: [/bin/sync], onFailure: degrade}]}
`
  assert.deepEqual(await parseConfiguration(text, PATH), {
    freezeDeadlineSeconds: 2.5,
    hooks: [
      {
        beforeFreeze: [
          { command: ['/etc/icecore/hooks/quiesce', '--all'], timeoutMs: 60_000, onFailure: 'abort' },
        ],
        afterThaw: [{ command: ['logger', 'done'], timeoutMs: 5000, onFailure: 'abort' }],
      },
      {
        lineage: 'web',
        source: '/dev/vg0/web',
        beforeFreeze: [{ command: ['/bin/sync'], timeoutMs: 60_000, onFailure: 'degrade' }],
        afterThaw: [],
      },
    ],
  })
})

test('readConfiguration() runs no hooks of a file that others can change', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'icecore-configuration-'))
  const path = join(folder.path, 'icecore.yaml')
  await writeFile(path, 'hooks: [{beforeFreeze: [{command: [/bin/true]}]}]\n')
  await chmod(path, 0o600)
  assert.equal((await readConfiguration([path])).hooks?.length, 1)
  await chmod(path, 0o620)
  await assert.rejects(readConfiguration([path]), { code: 'USAGE_WRONG', message: /others can write to it/ })
})

test('parseConfiguration() names the file and the key that it cannot use', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      'repo: x',
      /^Cannot use configuration "\/etc\/icecore\/icecore\.yaml": key "repo" is unknown, expected one of repository, /,
    ],
    ['lanes: many', /key "lanes" is "many", expected number/],
    ['lanes: 0', /key "lanes" is 0, expected >=1/],
    ['repository: ""', /key "repository" is 0, expected !0|key "repository"/],
    ['passwordCommand: [1]', /key "passwordCommand/],
    ['- a', /expected keys and values/],
    ['hooks: {beforeFreeze: []}', /key "hooks" is Object, expected Array/],
    [
      'hooks: [{beforeFreeze: [{command: /bin/sync}]}]',
      /key "hooks\.0\.beforeFreeze\.0\.command" is "\/bin\/sync"/,
    ],
    ['hooks: [{before: []}]', /key "hooks\.0\.before" is/],
    ['hooks: [{beforeFreeze: [{command: []}]}]', /key "hooks\.0\.beforeFreeze\.0\.command"/],
    ['hooks: [{afterThaw: [{command: [x], timeoutSeconds: 0}]}]', /expected >=0\.1/],
    ['hooks: [{afterThaw: [{command: [x], onFailure: ignore}]}]', /expected \("abort" \| "degrade"\)/],
    ['a: [', /Cannot use configuration/],
    ['a: &x 1\nb: *x', /Cannot use configuration/],
  ]
  for (const [text, message] of cases) {
    await assert.rejects(parseConfiguration(text, PATH), { code: 'USAGE_WRONG', message })
  }
})

test('readConfiguration() lets the first file win, key by key, and does without files', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'icecore-configuration-'))
  const own = join(folder.path, 'own.yaml')
  const system = join(folder.path, 'system.yaml')
  await writeFile(own, 'repository: /own\n')
  await writeFile(system, 'repository: /system\nlanes: 3\n')
  assert.deepEqual(await readConfiguration([own, system]), { repository: '/own', lanes: 3 })
  assert.deepEqual(await readConfiguration([join(folder.path, 'none.yaml'), join(own, 'below.yaml')]), {})
})
