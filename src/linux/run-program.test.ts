import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

import { eventually } from '../../test/support/eventually.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { type ProgramEnd, startProgram } from './run-program.ts'

const PATH = '/usr/bin:/bin'

function shell(script: string, ...words: readonly string[]): readonly string[] {
  return ['/bin/sh', '-c', script, 'sh', ...words]
}

async function run(command: readonly string[], timeoutMs = 20_000): Promise<ProgramEnd> {
  return await startProgram({ command, environment: { PATH }, timeoutMs }, 300).end
}

test('startProgram() gives exit code and both outputs, and passes arguments as they are', async () => {
  const end = await run(shell('printf "%s|" "$@"; echo wrong >&2; exit 7', 'a b', '$(id)', '*'))
  assert.equal(end.exitCode, 7)
  assert.equal(end.failure, null)
  assert.match(end.output, /^a b\|\$\(id\)\|\*\|/)
  assert.match(end.output, /wrong\n/)
})

test('startProgram() runs in / with the given environment, no input and a session of its own', async () => {
  const end = await run(shell('pwd; env | grep -v -e ^PWD -e ^SHLVL -e ^_=; cat; ps -o sid= -p $$; echo $$'))
  const [folder, path, session, pid] = end.output.trim().split('\n')
  assert.deepEqual([folder, path], ['/', `PATH=${PATH}`])
  assert.equal(session?.trim(), pid)
})

test('startProgram() says why a program cannot be started', async () => {
  assert.equal((await run(['/no/such/program'])).failure, 'there is no such program')
  assert.equal((await run(['/etc/passwd'])).failure, 'it is not executable')
})

test('startProgram() keeps the end of endless output, and ends it at the deadline', async () => {
  const end = await run(['/usr/bin/yes', 'output'], 300)
  assert.equal(end.failure, 'it did not end within 0.3 s')
  assert.equal(end.signal, 'SIGTERM')
  assert.equal(end.output.length, 64 * 1024)
})

test('startProgram() kills the whole group of a program that ignores SIGTERM', async () => {
  using folder = temporaryFolder()
  const pidFile = folder.join('pid')
  const script = `trap '' TERM; (trap '' TERM; echo $$ > "$1"; sleep 600) & sleep 600; sleep 600`
  const end = await run(shell(script, pidFile), 300)
  assert.equal(end.signal, 'SIGKILL')
  assert.equal(end.failure, 'it did not end within 0.3 s')
  const group = Number(readFileSync(pidFile, 'utf8'))
  await eventually(() => !isGroupThere(group))
})

test('startProgram() does not wait for what a program leaves running, and endLeftovers() ends it', async () => {
  using folder = temporaryFolder()
  const stopped = folder.join('stopped')
  const left = `trap 'echo ended > "$1"; exit' TERM; touch "$1.ready"; while :; do sleep 0.05; done`
  const script = `(${left}) > /dev/null 2>&1 & until [ -e "$1.ready" ]; do sleep 0.01; done; echo started`
  const program = startProgram(
    { command: shell(script, stopped), environment: { PATH }, timeoutMs: 60_000 },
    5000,
  )
  const end = await program.end
  assert.deepEqual([end.exitCode, end.output], [0, 'started\n'])
  assert.equal(existsSync(stopped), false)
  await program.endLeftovers()
  assert.equal(readFileSync(stopped, 'utf8'), 'ended\n')
})

test('stop() ends a program with its reason, once', async () => {
  const program = startProgram({ command: ['/bin/sleep', '600'], environment: {}, timeoutMs: 600_000 }, 300)
  program.stop('the run was cancelled')
  program.stop('again')
  const end = await program.end
  assert.deepEqual([end.failure, end.signal, end.exitCode], ['the run was cancelled', 'SIGTERM', null])
  await program.endLeftovers()
})

function isGroupThere(group: number): boolean {
  try {
    return process.kill(-group, 0)
  } catch {
    return false
  }
}
