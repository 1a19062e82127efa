import assert from 'node:assert/strict'
import { chmod, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fakeTerminal } from '../../test/support/fake-terminal.ts'
import { readPassword } from './password.ts'
import type { PasswordSource } from './settings.ts'

const { signal } = new AbortController()

async function passwordOf(
  source: PasswordSource,
  notice: (message: string) => void = () => {},
): Promise<string> {
  return await readPassword({ source, purpose: 'open', notice }, fakeTerminal(false).terminal, signal)
}

function fileOf(path: string): PasswordSource {
  return { kind: 'file', path, origin: 'ICECORE_PASSWORD_FILE' }
}

function commandOf(...words: string[]): PasswordSource {
  return { kind: 'command', words, origin: '--password-command' }
}

test('readPassword() takes the first line of a file, and notices a file that others can read', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'icecore-password-'))
  const path = join(folder.path, 'pw')
  const source: PasswordSource = { kind: 'file', path, origin: '--password-file' }
  const notices: string[] = []
  await writeFile(path, ' geheim ß \r\nsecond line\n', { mode: 0o600 })
  assert.equal(await passwordOf(source, (message) => notices.push(message)), ' geheim ß ')
  assert.equal(notices.length, 0)
  await chmod(path, 0o644)
  await passwordOf(source, (message) => notices.push(message))
  assert.match(notices.join(), /can be read by others/)
})

test('readPassword() says what is wrong with a file', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'icecore-password-'))
  const empty = join(folder.path, 'empty')
  await writeFile(empty, '\nx', { mode: 0o600 })
  await assert.rejects(passwordOf(fileOf(empty)), {
    code: 'PASSWORD_MISSING',
    message: /first line is empty/,
  })
  await assert.rejects(passwordOf(fileOf('/none/pw')), {
    message: 'Cannot read password from ICECORE_PASSWORD_FILE "/none/pw": there is no such file',
  })
  await assert.rejects(passwordOf(fileOf(folder.path)), { message: /the system reports EISDIR/ })
})

test('readPassword() takes the first line that a program prints, without a shell', async () => {
  assert.equal(await passwordOf(commandOf('printf', '%s\\nnot this', '$HOME; *')), '$HOME; *')
})

test('readPassword() says why a program gave nothing, and never repeats its arguments', async () => {
  const cases: readonly (readonly [PasswordSource, string])[] = [
    [commandOf('/none/x', 'secret'), 'from --password-command "/none/x": there is no such program'],
    [
      commandOf('sh', '-c', 'echo locked >&2; exit 3', 'secret'),
      'it ended with exit code 3 and said "locked"',
    ],
    [commandOf('true', 'secret'), 'its first line is empty'],
  ]
  for (const [source, expected] of cases) {
    await assert.rejects(passwordOf(source), (error) => {
      assert.ok(error instanceof Error)
      assert.ok(error.message.includes(expected), error.message)
      assert.ok(!error.message.includes('secret'))
      return true
    })
  }
})

test('readPassword() stops waiting for a program when it is cancelled', async () => {
  const controller = new AbortController()
  const question = { source: commandOf('sleep', '60'), purpose: 'open', notice: () => {} } as const
  const reading = readPassword(question, fakeTerminal(false).terminal, controller.signal)
  controller.abort(new Error('stop'))
  await assert.rejects(reading, { message: 'stop' })
})

test('readPassword() asks a person without showing what is typed', async () => {
  const fake = fakeTerminal(true)
  const question = { source: undefined, purpose: 'open', notice: () => {} } as const
  const reading = readPassword(question, fake.terminal, signal)
  fake.input.write('wrong\u0015gx\u007Feh')
  fake.input.write(Buffer.from('ß').subarray(0, 1))
  fake.input.write(Buffer.from('ß').subarray(1))
  fake.input.write('\r')
  assert.equal(await reading, 'gehß')
  assert.equal(fake.printed.messages, 'Password: \n')
  assert.equal(fake.printed.output, '')
  assert.deepEqual(fake.rawModes, [true, false])
})

async function askedTwice(first: string, second: string): Promise<string> {
  const fake = fakeTerminal(true)
  const reading = readPassword(
    { source: undefined, purpose: 'create', notice: () => {} },
    fake.terminal,
    signal,
  )
  fake.input.write(`${first}\r`)
  while (!fake.printed.messages.includes('again')) await new Promise(setImmediate)
  fake.input.write(`${second}\r`)
  return await reading
}

test('readPassword() asks twice for a new password and compares', async () => {
  assert.equal(await askedTwice('one', 'one'), 'one')
  await assert.rejects(askedTwice('one', 'two'), { code: 'PASSWORD_MISSING', message: /not the same/ })
})

test('readPassword() is cancelled by Control-C and leaves the terminal as it was', async () => {
  const fake = fakeTerminal(true)
  const reading = readPassword(
    { source: undefined, purpose: 'open', notice: () => {} },
    fake.terminal,
    signal,
  )
  fake.input.write('abc\u0003')
  await assert.rejects(reading, { name: 'Cancelled' })
  assert.deepEqual(fake.rawModes, [true, false])
})

test('readPassword() does not ask where nobody can answer', async () => {
  const question = { source: undefined, purpose: 'open', notice: () => {} } as const
  await assert.rejects(readPassword(question, fakeTerminal(false).terminal, signal), {
    code: 'PASSWORD_MISSING',
    message: /there is no terminal/,
  })
})
