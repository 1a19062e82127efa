import assert from 'node:assert/strict'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { testAuthority } from '../support/authority.ts'
import { runIcecore, type IcecoreResult } from '../support/run-icecore.ts'
import { AGENT_HOST, startAgent } from '../support/running-agent.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

type Line = {
  readonly name: string
  readonly verdict: string
  readonly sentence: string
  readonly advice: string | null
}

function linesOf({ json, stderr }: IcecoreResult): readonly Line[] {
  assert.ok(Array.isArray(json), stderr)
  return json
}

function named(result: IcecoreResult, name: string): Line {
  const line = linesOf(result).find((one) => one.name === name)
  assert.ok(line, `${name} is not in ${JSON.stringify(linesOf(result).map((one) => one.name))}`)
  return line
}

/** Nothing is said twice to who has to do something, and nobody is left without knowing what. */
function requireAdvice(result: IcecoreResult): void {
  for (const { name, verdict, advice } of linesOf(result)) {
    assert.equal(advice === null, verdict === 'ok', `${name} is ${verdict}`)
  }
}

test('icecore doctor finds its way to an agent, and says where it ends', async () => {
  using folder = temporaryFolder()
  const source = folder.join('volume.img')
  writeFileSync(source, new Uint8Array(65_536).fill(7))
  const place = folder.join('host')
  const environment = { HOME: place, XDG_STATE_HOME: `${place}/state` }
  await using agent = await startAgent(place, [source])

  const well = await runIcecore(['doctor', '--json', ...agent.words], { environment })
  requireAdvice(well)
  for (const name of [
    'authority',
    'enrolment',
    'agent-name',
    'agent-port',
    'agent-certificate',
    'agent-answer',
  ]) {
    assert.equal(named(well, name).verdict, 'ok', named(well, name).sentence)
  }
  assert.equal(named(well, 'version').verdict, 'ok')
  assert.equal(named(well, 'clock').verdict, 'ok')
  assert.ok([0, 3].includes(well.exitCode ?? -1), `exit code ${well.exitCode}`)

  const stranger = folder.join('stranger')
  await testAuthority(stranger)
  const address = `${AGENT_HOST}:${agent.port}`
  const refused = await runIcecore(['doctor', '--json', '--agent', address, '--authority', stranger], {
    environment,
  })
  assert.equal(refused.exitCode, 7)
  requireAdvice(refused)
  assert.equal(named(refused, 'agent-port').verdict, 'ok')
  assert.match(named(refused, 'agent-certificate').sentence, /was not made by the authority/)
  assert.equal(named(refused, 'agent-answer').verdict, 'wrong')
  assert.equal(named(refused, 'enrolment').verdict, 'unknown')

  // The same host by a name that its certificate does not have.
  const renamed = await runIcecore(
    ['doctor', '--json', '--agent', `localhost:${agent.port}`, ...agent.words.slice(2)],
    { environment },
  )
  assert.match(
    named(renamed, 'agent-certificate').sentence,
    /is for IP Address:127.0.0.1, and not for "localhost"/,
  )
  assert.equal(renamed.exitCode, 7)

  await agent[Symbol.asyncDispose]()
  const gone = await runIcecore(['doctor', '--json', ...agent.words], { environment })
  assert.equal(gone.exitCode, 7)
  assert.match(named(gone, 'agent-port').sentence, /nothing listens there/)
})

test('icecore agent doctor looks at the folder of the agent and at what it allows', async () => {
  using folder = temporaryFolder()
  const source = folder.join('volume.img')
  writeFileSync(source, new Uint8Array(65_536).fill(7))
  const place = folder.join('host')
  const environment = { HOME: place, XDG_STATE_HOME: `${place}/state` }
  const doctor = async (): Promise<IcecoreResult> =>
    await runIcecore(['agent', 'doctor', '--json', '--folder', `${place}/agent`], { environment })
  {
    await using _agent = await startAgent(place, [source, folder.join('nothing-*')])
  }
  const well = await doctor()
  requireAdvice(well)
  for (const name of ['key-files', 'agent-certificate', 'revocation-list', 'audit-log', 'watchdog']) {
    assert.equal(named(well, name).verdict, 'ok', named(well, name).sentence)
  }
  const verdicts = linesOf(well).filter(({ name }) => name === 'agent-configuration')
  assert.deepEqual(
    verdicts.map(({ verdict }) => verdict),
    ['ok', 'warning'],
  )
  assert.match(named(well, 'source').sentence, /volume\.img/)

  chmodSync(`${place}/agent/key.pem`, 0o644)
  const open = await doctor()
  assert.match(named(open, 'key-files').sentence, /its mode is 644, required is 600/)
  assert.equal(open.exitCode, 7) // The agent does not start with such a key.

  writeFileSync(`${place}/agent/agent.yaml`, 'sources: [relative]\n')
  rmSync(`${place}/agent/key.pem`)
  const broken = await doctor()
  assert.equal(broken.exitCode, 7)
  requireAdvice(broken)
  assert.match(named(broken, 'agent-configuration').sentence, /agent\.yaml/)
  assert.match(named(broken, 'key-files').sentence, /not enrolled/)
})

test('icecore doctor looks at the repository with the password that a run would use', async () => {
  using folder = temporaryFolder()
  const [repository, password, wrong] = [
    folder.join('repository'),
    folder.join('password'),
    folder.join('wrong'),
  ]
  writeFileSync(password, 'a secret\n', { mode: 0o600 })
  writeFileSync(wrong, 'another\n', { mode: 0o644 })
  const environment = { HOME: folder.path, XDG_CACHE_HOME: folder.join('cache') }
  await runIcecore(
    ['init', repository, '--password-file', password, '--recovery-key-file', folder.join('key')],
    { environment },
  )
  const doctor = async (...words: readonly string[]): Promise<IcecoreResult> =>
    await runIcecore(['doctor', '--json', '-r', repository, ...words], { environment })

  const well = await doctor('--password-file', password)
  requireAdvice(well)
  assert.match(named(well, 'repository').sentence, /can be read and written, and is encrypted/)
  assert.equal(named(well, 'password').verdict, 'ok')

  const badly = await doctor('--password-file', wrong)
  assert.equal(badly.exitCode, 5)
  assert.equal(named(badly, 'repository').verdict, 'wrong')
  assert.equal(named(badly, 'password').verdict, 'warning')

  const asked = await doctor()
  assert.equal(asked.exitCode, 3)
  assert.equal(named(asked, 'password').verdict, 'unknown')

  rmSync(repository, { recursive: true })
  assert.equal((await doctor()).exitCode, 5)
})
