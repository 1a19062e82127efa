import { spawnSync } from 'node:child_process'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'

type Step = { readonly name: string; readonly command: readonly [string, ...string[]] }

const SOURCE_STEPS: readonly Step[] = [
  { name: 'format', command: ['oxfmt', '--check', '.'] },
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'] },
  { name: 'types', command: ['tsc'] },
  { name: 'unused', command: ['knip'] },
]
const TIDY: Step = { name: 'tidy', command: ['node', 'tools/test/run.ts', 'tools/tidy'] }
const TESTS: Step = { name: 'tests', command: ['node', 'tools/test/run.ts'] }

const root = fileURLToPath(new URL('..', import.meta.url))
// The tools read configuration in TypeScript, for which they need the checkout's Node.js.
const environment = {
  ...process.env,
  PATH: `${root}node_modules/.bin${delimiter}${process.env['PATH'] ?? ''}`,
}

function runStep({ name, command: [program, ...words] }: Step): {
  name: string
  ok: boolean
  seconds: string
} {
  console.log(`\n── ${name}: ${[program, ...words].join(' ')}`)
  const startMs = performance.now()
  const { status, error } = spawnSync(program, words, { cwd: root, env: environment, stdio: 'inherit' })
  if (error !== undefined) console.error(error.message)
  return { name, ok: status === 0, seconds: ((performance.now() - startMs) / 1000).toFixed(1) }
}

// With `--no-tests` only the tests of the source itself run: the others ran before, as in .ci/run.
const steps = [...SOURCE_STEPS, process.argv.includes('--no-tests') ? TIDY : TESTS]
const results = steps.map(runStep)

console.log('')
for (const { name, ok, seconds } of results) {
  console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(8)} ${seconds.padStart(6)} s`)
}
if (results.some(({ ok }) => !ok)) process.exitCode = 1
