import assert from 'node:assert/strict'
import test from 'node:test'
import { fakeTerminal } from '../../test/support/fake-terminal.ts'
import { seededRandomness } from '../../test/support/seeded-randomness.ts'
import { systemClock } from '../domain/clock.ts'
import type { CommandDefinition } from './command.ts'
import { ExitCode } from './exit-code.ts'
import { command, type CommandResult } from './invocation.ts'
import { runProgram } from './run-program.ts'

const TRY = {
  name: 'try',
  section: 'Looking',
  summary: 'try it',
  description: 'Tries it.',
  arguments: {},
  options: {},
  repository: 'none',
  examples: [],
} as const satisfies CommandDefinition

async function outputOf(result: CommandResult, ...words: readonly string[]): Promise<string> {
  const { terminal, printed } = fakeTerminal(false)
  const commands = [command(TRY, () => Promise.resolve(() => Promise.resolve(result)))]
  const parts = { commands, families: {}, version: '0' }
  const { signal } = new AbortController()
  // No configuration of whoever runs the test.
  const environment = { XDG_CONFIG_HOME: '/nonexistent', HOME: '/nonexistent' }
  const host = { environment, terminal, clock: systemClock, randomness: seededRandomness(1), signal }
  assert.equal(await runProgram(parts, ['try', ...words], host), result.exitCode)
  return printed.output
}

test('runProgram() prints a result as text or as JSON', async () => {
  const result = { json: { a: 1 }, text: () => 'one', exitCode: ExitCode.Degraded }
  assert.equal(await outputOf(result), 'one\n')
  assert.equal(await outputOf(result, '--json'), '{\n  "a": 1\n}\n')
})

async function* pieces(): AsyncGenerator<string> {
  yield await Promise.resolve('[\n')
  yield ']\n'
}

test('runProgram() prints JSON in pieces where there are some, and uses them for nothing else', async () => {
  const result = { json: 'not printed', text: 'text', exitCode: ExitCode.Done }
  assert.equal(await outputOf({ ...result, jsonPieces: pieces() }, '--json'), '[\n]\n')
  assert.equal(await outputOf({ ...result, jsonPieces: pieces() }), 'text\n')
})
