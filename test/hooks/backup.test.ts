import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { eventually } from '../support/eventually.ts'
import { mixedBytes } from '../support/mixed-bytes.ts'
import { sha256File } from '../support/sha256-file.ts'
import { temporaryRepository, type TemporaryRepository } from '../support/temporary-repository.ts'

const JOURNAL = 'echo "$ICECORE_STAGE ${ICECORE_FREEZE_RESULT:--} $ICECORE_LINEAGE" >> "$JOURNAL"'

type Scene = Disposable & {
  readonly repository: TemporaryRepository
  readonly image: string
  readonly environment: Readonly<Record<string, string>>
  journal(): string[]
  /** The text of a configuration file that is the user's own. */
  configure(text: string): void
}

async function scene(): Promise<Scene> {
  const repository = await temporaryRepository()
  const { folder } = repository
  const image = folder.join('volume.img')
  writeFileSync(image, mixedBytes('hooks', 1024 * 1024))
  const journal = folder.join('journal')
  const environment = {
    JOURNAL: journal,
    XDG_CONFIG_HOME: folder.join('config'),
    XDG_STATE_HOME: folder.join('state'),
  }
  return {
    repository,
    image,
    environment,
    // Whole lines only: while the file is made it is empty.
    journal: () => (existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').slice(0, -1) : []),
    configure(text) {
      mkdirSync(folder.join('config', 'icecore'), { recursive: true })
      writeFileSync(folder.join('config', 'icecore', 'icecore.yaml'), text, { mode: 0o600 })
    },
    [Symbol.dispose]: () => repository[Symbol.dispose](),
  }
}

function shell(script: string): string {
  return JSON.stringify(['/bin/sh', '-c', script])
}

test('backup runs the programs of the command line, and the one before may make the snapshot', async () => {
  using on = await scene()
  const { repository, image, environment } = on
  const snapshot = repository.folder.join('snapshot.img')
  const words = ['--before-freeze', shell(JOURNAL), '--before-freeze', `cp '${image}' '${snapshot}'`]
  const options = { environment }
  const made = await repository.run(
    ['backup', snapshot, '--name', 'web', ...words, '--after-thaw', shell(JOURNAL), '--json'],
    options,
  )
  assert.equal(made.exitCode, 0, made.stderr)
  assert.deepEqual(on.journal(), ['before-freeze - web', 'after-thaw frozen web'])
  const shown = await repository.run(['show', 'latest'])
  assert.match(shown.stdout, /^ {2}ran cp before the freeze in \d+/m)
  assert.match(shown.stdout, /^ {2}ran \/bin\/sh after the thaw in \d+/m)
  const target = repository.folder.join('restored')
  await repository.restore(['latest', '--to', target])
  assert.equal(await sha256File(target), await sha256File(image))
})

test('backup ends with 4 and stores nothing when a program before the freeze fails', async () => {
  using on = await scene()
  const { repository, image, environment } = on
  const words = [
    '--before-freeze',
    shell('echo broken; exit 5'),
    '--after-thaw',
    shell(JOURNAL),
    '--name',
    'web',
  ]
  const result = await repository.run(['backup', image, ...words, '--json'], { environment })
  assert.equal(result.exitCode, 4)
  assert.match(result.stdout, /"HOOK_FAILED"/)
  assert.match(result.stdout, /it ended with exit code 5, and wrote last: broken/)
  assert.deepEqual(on.journal(), ['after-thaw failed web'])
  assert.deepEqual(await repository.points(), [])
})

test('backup runs the programs of the configuration, ends with 3 when one may fail, and with --no-hooks runs none', async () => {
  using on = await scene()
  const { repository, image, environment } = on
  const journal = JSON.stringify(JOURNAL)
  on.configure(`hooks:
  - lineage: web
    beforeFreeze: [{command: [/bin/false], onFailure: degrade}, {command: [/bin/sh, -c, ${journal}]}]
    afterThaw: [{command: [/bin/sh, -c, ${journal}]}]
`)
  const run = (...words: readonly string[]): ReturnType<TemporaryRepository['run']> =>
    repository.run(['backup', image, ...words], { environment })
  const other = await run('--name', 'other')
  assert.equal(other.exitCode, 0, other.stderr)
  const without = await run('--name', 'web', '--no-hooks')
  assert.equal(without.exitCode, 0, without.stderr)
  const dry = await run('--name', 'web', '--dry-run')
  assert.equal(dry.exitCode, 0, dry.stderr)
  assert.deepEqual(on.journal(), [])
  const degraded = await run('--name', 'web')
  assert.equal(degraded.exitCode, 3, degraded.stderr)
  assert.match(degraded.stdout, /degraded \(HOOK_FAILED\): Cannot run "\/bin\/false" before the freeze/)
  assert.deepEqual(on.journal(), ['before-freeze - web', 'after-thaw frozen web'])
})

for (const [signal, result] of [
  ['SIGTERM', 'cancelled'],
  ['SIGINT', 'cancelled'],
  ['SIGKILL', 'died'],
] as const) {
  test(`backup that gets ${signal} in a program before the freeze runs those after the thaw`, async () => {
    using on = await scene()
    const { repository, image, environment } = on
    const words = [
      '--before-freeze',
      shell(`${JOURNAL}; sleep 600`),
      '--after-thaw',
      shell(JOURNAL),
      '--name',
      'web',
    ]
    const ended = await repository.run(['backup', image, ...words], {
      environment,
      onStart: (child) => {
        void eventually(() => on.journal().length > 0).then(() => child.kill(signal))
      },
    })
    if (signal === 'SIGKILL') assert.equal(ended.signal, signal)
    else assert.equal(ended.exitCode, 130, ended.stderr)
    const said = (): string => `${on.journal().join()}\n${ended.stdout}${ended.stderr}`
    await eventually(() => on.journal().length > 1, said)
    assert.deepEqual(on.journal(), ['before-freeze - web', `after-thaw ${result} web`])
    const log = repository.folder.join('state', 'icecore', 'watchdog.log')
    if (signal !== 'SIGKILL') return
    await eventually(() => existsSync(log))
    assert.match(readFileSync(log, 'utf8'), /died: Ran "\/bin\/sh" in \d+ ms: exit code 0$/m)
  })
}
