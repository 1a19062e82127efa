import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import test, { after, before } from 'node:test'
import { runIcecore, type IcecoreResult } from '../support/run-icecore.ts'
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts'

let folder: TemporaryFolder

/** Runs with the password, or with none for `null`. */
async function run(password: string | null, ...words: readonly string[]): Promise<IcecoreResult> {
  const environment = { ICECORE_REPOSITORY: folder.join('repo'), XDG_CACHE_HOME: folder.join('cache') }
  return await runIcecore(words, {
    environment: password === null ? environment : { ...environment, ICECORE_PASSWORD: password },
  })
}

async function assertFails(
  expected: readonly [number, string],
  result: Promise<IcecoreResult>,
): Promise<void> {
  const { exitCode, json } = await result
  assert.partialDeepStrictEqual(
    { exitCode, json },
    { exitCode: expected[0], json: { error: { code: expected[1] } } },
  )
}

const slots = async (): Promise<unknown> => (await run(null, 'key', 'list', '--json')).json

before(async () => {
  folder = temporaryFolder()
  const made = await run('first', 'init', '--recovery-key-file', folder.join('recovery'))
  assert.equal(made.exitCode, 0, made.stderr)
  writeFileSync(folder.join('second'), 'second\nmore\n', { mode: 0o600 })
})
after(() => folder[Symbol.dispose]())

test('points needs the right password', async () => {
  await assertFails([5, 'PASSWORD_WRONG'], run('wrong', 'points', '--json'))
  await assertFails([5, 'PASSWORD_MISSING'], run(null, 'points', '--json'))
  assert.equal((await run('first', 'points')).exitCode, 0)
})

test('key list shows the slots without a password, and never a key', async () => {
  const { exitCode, stdout } = await run(null, 'key', 'list')
  assert.equal(exitCode, 0)
  assert.match(stdout, /^SLOT +ID +KIND +LABEL +CREATED\n +1 +[0-9a-f]{16} +password .*\n +2 .* recovery /)
  assert.doesNotMatch(stdout, /wrapped|salt|first/)
  assert.partialDeepStrictEqual(await slots(), [
    { number: 1, kind: 'password', label: 'password' },
    { number: 2, kind: 'recovery', label: 'recovery key' },
  ])
})

test('key add adds a password that opens the repository, and needs one that does', async () => {
  const file = ['--new-password-file', folder.join('second')]
  await assertFails([5, 'PASSWORD_WRONG'], run('wrong', 'key', 'add', ...file, '--json'))
  await assertFails([5, 'PASSWORD_MISSING'], run('first', 'key', 'add', '--json')) // no terminal to ask at
  const added = await run('first', 'key', 'add', ...file, '--label', 'laptop', '--json')
  assert.partialDeepStrictEqual(added, {
    exitCode: 0,
    json: { number: 3, kind: 'password', label: 'laptop' },
  })
  for (const password of ['first', 'second', readFileSync(folder.join('recovery'), 'utf8').trim()]) {
    assert.equal((await run(password, 'points')).exitCode, 0)
  }
})

test('key add makes a recovery key in a new file for its owner alone', async () => {
  const path = folder.join('recovery-2')
  const words = ['key', 'add', '--recovery-key-file', path, '--json']
  assert.partialDeepStrictEqual(await run('second', ...words), {
    exitCode: 0,
    json: { number: 4, kind: 'recovery' },
  })
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal((await run(readFileSync(path, 'utf8').trim(), 'points')).exitCode, 0)
  await assertFails([2, 'USAGE_WRONG'], run('second', ...words)) // the file exists
  assert.ok(statSync(path).size > 0)
  const recoveryKey = folder.join('recovery')
  await assertFails(
    [2, 'USAGE_WRONG'],
    run('first', 'key', 'add', '--new-password-file', recoveryKey, '--json'),
  )
  assert.ok(Array.isArray(await slots()))
  assert.equal(JSON.stringify(await slots()).match(/"id"/g)?.length, 4)
})

test('key remove removes what is not needed, for who holds another key', async () => {
  const remove = (password: string, slot: string): Promise<IcecoreResult> =>
    run(password, 'key', 'remove', slot, '--json')
  await assertFails([2, 'KEY_SLOT_MISSING'], remove('first', '9'))
  await assertFails([5, 'PASSWORD_WRONG'], remove('wrong', '1'))
  await assertFails([2, 'KEY_SLOT_NEEDED'], remove('first', '1'))
  const removed = await remove('second', '1')
  assert.partialDeepStrictEqual(removed, {
    exitCode: 0,
    json: { removed: { kind: 'password' }, leftCount: 3 },
  })
  await assertFails([5, 'PASSWORD_WRONG'], run('first', 'points', '--json'))
  assert.equal((await remove('second', '1')).exitCode, 0) // the older recovery key
  await assertFails([2, 'KEY_SLOT_NEEDED'], remove('second', '2')) // the only recovery key
  assert.partialDeepStrictEqual(await slots(), [{ label: 'laptop' }, { kind: 'recovery' }])
})

test('key commands have nothing to do in a repository without encryption', async () => {
  const open = folder.join('open')
  assert.equal((await run(null, 'init', open, '--no-encryption')).exitCode, 0)
  const { exitCode, stdout } = await run(null, 'key', 'list', '-r', open)
  assert.deepEqual(
    { exitCode, stdout },
    { exitCode: 0, stdout: 'The repository is not encrypted: it has no keys\n' },
  )
  await assertFails([2, 'USAGE_WRONG'], run(null, 'key', 'add', '-r', open, '--json'))
  await assertFails([2, 'USAGE_WRONG'], run(null, 'key', 'remove', '1', '-r', open, '--json'))
  await assertFails([5, 'REPOSITORY_MISSING'], run(null, 'key', 'list', '-r', folder.join('none'), '--json'))
})
