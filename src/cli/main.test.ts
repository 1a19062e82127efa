import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'

const PROGRAM = join(import.meta.dirname, 'icecore.js')

type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string }

/** Runs the program in a process of its own, without settings of whoever runs the test. */
function icecore(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Ended {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', ...environment }
  return spawnSync(process.execPath, [PROGRAM, ...words], { encoding: 'utf8', env })
}

test('icecore prints help on standard output', () => {
  const { status, stdout, stderr } = icecore(['--help'])
  assert.equal(status, 0)
  assert.match(stdout, /^Usage: icecore COMMAND/)
  assert.equal(stderr, '')
})

test('icecore without words is wrong usage, and shows help on standard error', () => {
  const { status, stdout, stderr } = icecore([])
  assert.equal(status, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /^Usage: icecore COMMAND/)
})

test('icecore refuses an unknown option with one sentence, a hint and exit code 2', () => {
  const { status, stdout, stderr } = icecore(['man', '--jsno'])
  assert.equal(status, 2)
  assert.equal(stdout, '')
  assert.equal(stderr, 'icecore: Cannot run "icecore man": unknown option "--jsno"\nDid you mean --json?\n')
})

test('icecore --json prints a failure as one document on standard output', () => {
  const { status, stdout } = icecore(['completion', 'tcsh', '--json'])
  assert.equal(status, 2)
  assert.deepEqual(JSON.parse(stdout), {
    error: {
      code: 'USAGE_WRONG',
      message: 'Cannot run "icecore completion": SHELL: cannot read "tcsh": expected bash, zsh or fish',
      data: { command: 'icecore completion' },
    },
  })
})

test('icecore --json prints a result as one document on standard output', () => {
  const { status, stdout, stderr } = icecore(['completion', 'fish', '--json'])
  assert.equal(status, 0)
  assert.equal(stderr, '')
  assert.partialDeepStrictEqual(JSON.parse(stdout), { shell: 'fish' })
})

test('icecore colours only what a terminal or FORCE_COLOR asks for', () => {
  assert.ok(!icecore(['--help']).stdout.includes('\u001B'))
  assert.ok(icecore(['--help'], { FORCE_COLOR: '1' }).stdout.includes('\u001B[1m'))
  assert.ok(!icecore(['--help'], { FORCE_COLOR: '1', NO_COLOR: '1' }).stdout.includes('\u001B'))
})

test('icecore ends quietly when nobody reads its output', () => {
  const line = `"$0" "$1" man | true; echo "\${PIPESTATUS[0]}"`
  const run = spawnSync('bash', ['-c', line, process.execPath, PROGRAM], { encoding: 'utf8' })
  assert.deepEqual({ stdout: run.stdout, stderr: run.stderr }, { stdout: '0\n', stderr: '' })
})

test('icecore names the configuration file and the key that it cannot use', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'icecore-main-'))
  const home = join(folder.path, 'icecore')
  await mkdir(home)
  await writeFile(join(home, 'icecore.yaml'), 'repo: x\n')
  const { status, stderr } = icecore(['man'], { XDG_CONFIG_HOME: folder.path })
  assert.equal(status, 2)
  assert.match(stderr, /icecore\/icecore\.yaml": key "repo" is unknown, expected one of repository, /)
})

const WAITING = `
const { listenForSignals } = await import(${JSON.stringify(join(import.meta.dirname, 'signals.ts'))})
const { signal } = listenForSignals()
const timer = setInterval(() => {}, 1000)
signal.addEventListener('abort', () => {
  console.log(signal.reason.name, signal.reason.message)
  if (process.argv[1] === 'orderly') { clearInterval(timer); process.exitCode = 42 }
})
console.log('ready')
`

test('listenForSignals() turns a signal into a cancellation; a second one ends the process at once', async () => {
  for (const [how, exitCode] of [
    ['orderly', 42],
    ['stubborn', 130],
  ] as const) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WAITING, how])
    const exited = once(child, 'exit')
    let output = ''
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      output += String(chunk)
      if (!output.includes('Cancelled')) child.kill('SIGTERM')
      else if (how === 'stubborn') child.kill('SIGINT')
    }
    assert.equal(output, 'ready\nCancelled Cancelled by SIGTERM\n')
    assert.deepEqual(await exited, [exitCode, null])
  }
})
