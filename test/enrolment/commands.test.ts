import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import * as valibot from 'valibot'
import { readAgentTls } from '../../src/host/agent-folder.ts'
import { type IcecoreResult, runIcecore } from '../support/run-icecore.ts'
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts'

const ENROLLED = valibot.object({
  name: valibot.string(),
  serial: valibot.string(),
  endsAt: valibot.string(),
})
const LISTED = valibot.array(
  valibot.object({ certificates: valibot.array(valibot.object({ state: valibot.string() })) }),
)

function states({ json }: IcecoreResult): readonly (readonly string[])[] {
  return valibot.parse(LISTED, json).map(({ certificates }) => certificates.map(({ state }) => state))
}

type Invited = AsyncDisposable & {
  readonly result: Promise<IcecoreResult>
  /** What it printed so far: the token is in it, where it is not in a file. */
  readonly said: () => string
  /** The words that it says to type, without the program. */
  readonly words: () => readonly string[]
  readonly interrupt: () => void
}

/** `icecore agent invite`, in a process of its own, until it waits. */
async function invite(folder: TemporaryFolder, ...options: readonly string[]): Promise<Invited> {
  let said = ''
  let child: ChildProcess | undefined
  const waits = Promise.withResolvers<void>()
  const listen = ['--listen', '127.0.0.1:0', '--authority', folder.join('authority')]
  const result = runIcecore(['agent', 'invite', 'localhost', ...listen, ...options], {
    onStart: (started) => {
      child = started
      started.stderr?.on('data', (text: string) => {
        said += text
        if (said.includes('Waiting for the agent')) waits.resolve()
      })
    },
  })
  const ended = result.then(({ stderr }) => `it ended: ${stderr}`)
  // However long a program takes to start on a busy machine: it waits, or it ends.
  await Promise.race([waits.promise, ended.then(assert.fail)])
  return {
    result,
    said: () => said,
    words: () => (/^ {4}icecore (agent enroll \S+)/m.exec(said)?.[1] ?? '').split(' '),
    interrupt: () => void child?.kill('SIGINT'),
    async [Symbol.asyncDispose]() {
      child?.kill()
      await result
    },
  }
}

function tokenIn(said: string): string {
  const [, token] = /^ {4}([A-Za-z0-9_-]{72})$/m.exec(said) ?? []
  assert.ok(token !== undefined)
  return token
}

function agentCommand(folder: TemporaryFolder, ...words: readonly string[]): Promise<IcecoreResult> {
  return runIcecore(['agent', ...words, '--json'], {
    environment: { ICECORE_AUTHORITY: folder.join('authority') },
  })
}

test('invite and enroll, in two processes, by what the one prints; list and revoke', async () => {
  using folder = temporaryFolder()
  await using invited = await invite(folder, '--json')
  const token = tokenIn(invited.said())
  writeFileSync(folder.join('token'), `${token}\n`, { mode: 0o600 })
  const enrolled = await runIcecore([...invited.words(), '--token-file', folder.join('token'), '--json'], {
    environment: { ICECORE_AGENT_FOLDER: folder.join('agent') },
  })
  assert.equal(enrolled.exitCode, 0, enrolled.stderr)
  const waited = await invited.result
  assert.equal(waited.exitCode, 0, waited.stderr)
  const { serial, endsAt } = valibot.parse(ENROLLED, enrolled.json)
  assert.deepEqual(enrolled.json, { name: 'localhost', serial, endsAt, folder: folder.join('agent') })
  assert.deepEqual(waited.json, { name: 'localhost', serial, endsAt, earlier: [] })
  assert.match((await readAgentTls(folder.join('agent'))).key, /PRIVATE KEY/)
  // The secret is on the screen of who invited, once, and nowhere else.
  for (const text of [enrolled.stdout, enrolled.stderr, waited.stdout, waited.stderr.replace(token, '')]) {
    assert.ok(!text.includes(token))
  }

  const listed = await agentCommand(folder, 'list')
  assert.deepEqual(states(listed), [['valid']])
  const revoked = await agentCommand(folder, 'revoke', 'localhost')
  assert.deepEqual(revoked.json, {
    name: 'localhost',
    serials: [serial],
    listNumber: 2,
    wasRevoked: false,
  })
  assert.deepEqual(states(await agentCommand(folder, 'list')), [['revoked']])
  const unknown = await agentCommand(folder, 'revoke', 'nobody')
  assert.equal(unknown.exitCode, 2)
  assert.match(unknown.stdout, /"CERTIFICATE_MISSING"/)

  const table = await runIcecore(['agent', 'list', '--authority', folder.join('authority')])
  assert.match(table.stdout, /^AGENT +SERIAL +UNTIL +STATE +ENROLLED +RENEWED\nlocalhost +[0-9A-F]{32} /)
})

test('invite writes the token to a file for its owner, and removes it in the end', async () => {
  using folder = temporaryFolder()
  const file = folder.join('token')
  await using invited = await invite(folder, '--token-file', file)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.ok(!invited.said().includes(readFileSync(file, 'utf8').trim()))
  const enrolled = await runIcecore([
    ...invited.words(),
    '--token-file',
    file,
    '--folder',
    folder.join('agent'),
  ])
  assert.equal(enrolled.exitCode, 0, enrolled.stderr)
  assert.equal((await invited.result).exitCode, 0)
  assert.equal(existsSync(file), false)
})

test('invite does not write over a file, and leaves it', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.join('letter'), 'dear reader')
  const options = ['--token-file', folder.join('letter'), '--authority', folder.join('authority')]
  const result = await runIcecore(['agent', 'invite', 'db1', '--listen', '127.0.0.1:0', ...options])
  assert.equal(result.exitCode, 2, result.stderr)
  assert.match(result.stderr, /Cannot write the token to/)
  assert.equal(readFileSync(folder.join('letter'), 'utf8'), 'dear reader')
})

test('enroll with a wrong token exits with 7, and the invitation stays open', async () => {
  using folder = temporaryFolder()
  await using invited = await invite(folder)
  const { words } = invited
  const token = Buffer.from(tokenIn(invited.said()), 'base64url')
  const attempt = async (text: string): Promise<IcecoreResult> => {
    writeFileSync(folder.join('token'), text, { mode: 0o600 })
    const files = ['--token-file', folder.join('token'), '--folder', folder.join('agent')]
    return await runIcecore([...words(), ...files, '--json'])
  }
  token[3] = (token[3] ?? 0) ^ 1
  const mistyped = await attempt(token.toString('base64url'))
  assert.equal(mistyped.exitCode, 7)
  assert.match(mistyped.stdout, /ENROLMENT_REFUSED.*it is not whole, or mistyped/s)
  const empty = await attempt('')
  assert.equal(empty.exitCode, 2)
  token[3] = (token[3] ?? 0) ^ 1
  assert.equal((await attempt(token.toString('base64url'))).exitCode, 0)
  assert.equal((await invited.result).exitCode, 0)
})

test('Control-C takes an invitation back, and its file with it', async () => {
  using folder = temporaryFolder()
  const file = folder.join('token')
  await using invited = await invite(folder, '--token-file', file)
  assert.equal(existsSync(file), true)
  invited.interrupt()
  const { exitCode, stderr } = await invited.result
  assert.equal(exitCode, 130)
  assert.match(stderr, /^icecore: Cancelled by SIGINT\nThe invitation is taken back/m)
  assert.equal(existsSync(file), false)
})

test('what has no authority says how to make one', async () => {
  using folder = temporaryFolder()
  const result = await runIcecore(['agent', 'list', '--authority', folder.join('nowhere')])
  assert.equal(result.exitCode, 7)
  assert.match(result.stderr, /there is none yet; `icecore agent invite HOST` makes it/)
  const typed = await runIcecore(['agent', 'enroll', '127.0.0.1:1', '--folder', folder.join('agent')])
  assert.equal(typed.exitCode, 2)
  assert.match(typed.stderr, /there is no terminal to ask for the token, expected --token-file FILE/)
})
