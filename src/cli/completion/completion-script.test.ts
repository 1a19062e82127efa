import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { CommandDefinition } from '../command.ts'
import { BACKUP } from '../commands/backup.ts'
import { CHECK } from '../commands/check.ts'
import { COMPLETION, SHELLS } from '../commands/completion.ts'
import { DEMO } from '../commands/demo.ts'
import { DIFF } from '../commands/diff.ts'
import { FORGET } from '../commands/forget.ts'
import { INIT } from '../commands/init.ts'
import { KEY_ADD, KEY_LIST, KEY_REMOVE } from '../commands/key.ts'
import { MAN } from '../commands/man.ts'
import { POINTS } from '../commands/points.ts'
import { RESTORE } from '../commands/restore.ts'
import { SHOW } from '../commands/show.ts'
import { completionScript } from './completion-script.ts'

const DEFINITIONS: readonly CommandDefinition[] = [
  INIT,
  BACKUP,
  RESTORE,
  POINTS,
  SHOW,
  DIFF,
  CHECK,
  FORGET,
  KEY_LIST,
  KEY_ADD,
  KEY_REMOVE,
  DEMO,
  COMPLETION,
  MAN,
]
const PARTS = { definitions: DEFINITIONS, families: { key: "key slots, and who's who" } }

/** What Bash would offer for the last of the words. */
function offered(...words: string[]): readonly string[] {
  const script = `${completionScript('bash', PARTS)}
compopt() { :; }
COMP_WORDS=(icecore "$@"); COMP_CWORD=$#; _icecore; printf '%s\\n' "\${COMPREPLY[@]}"`
  const run = spawnSync('bash', ['-c', script, 'bash', ...words], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  })
  assert.equal(run.stderr, '')
  return run.stdout.split('\n').filter((line) => line !== '')
}

for (const shell of SHELLS) {
  const isInstalled = spawnSync(shell, ['-c', 'true']).error === undefined
  const skip = isInstalled ? false : `${shell} is not installed`
  test(`completionScript() is a script that ${shell} can read`, { skip }, async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'icecore-completion-'))
    const path = join(folder.path, 'script')
    await writeFile(path, completionScript(shell, PARTS))
    const run = spawnSync(shell, ['-n', path], { encoding: 'utf8' })
    assert.deepEqual({ status: run.status, stderr: run.stderr }, { status: 0, stderr: '' })
  })
}

test('completionScript() offers the commands in Bash', () => {
  assert.deepEqual(offered('fo'), ['forget'])
  assert.deepEqual(offered('key', ''), ['list', 'add', 'remove'])
})

test('completionScript() offers the options of the command in Bash', () => {
  assert.deepEqual(offered('backup', '--wit'), ['--witnesses'])
  assert.deepEqual(offered('key', 'add', '--new'), ['--new-password-file'])
  assert.ok(!offered('man', '-').includes('--repo'))
})

test('completionScript() offers the values of options and arguments in Bash', () => {
  assert.deepEqual(offered('restore', 'latest', '--sparse', ''), ['auto', 'never'])
  assert.deepEqual(offered('completion', 'f'), ['fish'])
  assert.deepEqual(offered('backup', '--changes', 'fish'), ['fish-script.ts'])
  assert.deepEqual(offered('backup', 'zsh'), ['zsh-script.ts'])
})

test('completionScript() does not take the value of an option for a command in Bash', () => {
  assert.deepEqual(offered('-r', 'backup', 'check', '--da'), ['--data'])
})
