import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { testAgentFolder, testAuthority } from '../../test/support/authority.ts'
import { cloningFileSystem, needsCloning } from '../../test/support/cloning-file-system.ts'
import { eventually } from '../../test/support/eventually.ts'
import { temporaryFolder, type TemporaryFolder } from '../../test/support/temporary-folder.ts'
import { systemRandomness } from '../cli/system-randomness.ts'
import { connectAgent, type AgentConnection } from '../rpc/connect-agent.ts'

const never = new AbortController().signal
const HOST = '127.0.0.1'
const PROGRAM = fileURLToPath(new URL('../cli/icecore.js', import.meta.url))

type AgentProcess = AsyncDisposable & {
  readonly child: ChildProcess
  readonly port: number
  said(): string
}

/** `icecore agent run`, as systemd starts it. */
async function startProcess(place: string, stateFolder: string): Promise<AgentProcess> {
  const environment = { ...process.env, STATE_DIRECTORY: stateFolder }
  const child = spawn(process.execPath, [PROGRAM, 'agent', 'run', '--folder', place], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  await eventually(
    () => /port \d+/.test(said) || child.exitCode !== null,
    () => said,
  )
  return {
    child,
    port: Number(/port (\d+)/.exec(said)?.[1]),
    said: () => said,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

function program(folder: TemporaryFolder, name: string, text: string): string {
  const path = folder.join(name)
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}

function orderFor(path: string): Parameters<AgentConnection['freeze']>[0] {
  const lineageKey = systemRandomness.bytes(16).toHex()
  return { sources: [path], lineage: 'l', lineageKey, leaseSeconds: 60, provider: 'auto', basePointId: null }
}

async function heldOf(mover: AgentConnection, path: string): Promise<number> {
  return (await mover.status(never)).held.filter(({ source }) => source === path).length
}

test(
  'icecore agent run, killed while it freezes, leaves nothing standing still',
  { skip: needsCloning('xfs') },
  async () => {
    using folder = temporaryFolder()
    using mounted = cloningFileSystem('xfs')
    const path = mounted.join('disk.img')
    writeFileSync(path, new Uint8Array(1024 * 1024).fill(3))
    const authority = await testAuthority(folder.join('authority'))
    const place = folder.join('agent')
    await testAgentFolder(authority, { name: HOST, folder: place })
    const before = program(folder, 'before', `touch ${folder.join('quiet')}; sleep 60`)
    const after = program(folder, 'after', `echo "$ICECORE_FREEZE_RESULT" > ${folder.join('result')}`)
    const hooks = `hooks: [{ beforeFreeze: [{ command: [${before}] }], afterThaw: [{ command: [${after}] }] }]\n`
    const configuration = `listen: ${HOST}:0\nsources: [${path}]\n`
    writeFileSync(`${place}/agent.yaml`, configuration + hooks)
    const tls = await authority.moverTls()
    {
      await using agent = await startProcess(place, folder.join('state'))
      await using mover = connectAgent({ host: HOST, port: agent.port, tls })
      const freezing = assert.rejects(mover.freeze(orderFor(path), never), { code: 'CONNECTION_FAILED' })
      await eventually(
        () => existsSync(folder.join('quiet')),
        () => agent.said(),
      )
      agent.child.kill('SIGKILL')
      await freezing
    }
    await eventually(
      () => existsSync(folder.join('result')) && readFileSync(folder.join('result'), 'utf8') !== '',
    )
    assert.equal(readFileSync(folder.join('result'), 'utf8'), 'died\n')

    writeFileSync(`${place}/agent.yaml`, configuration)
    {
      await using agent = await startProcess(place, folder.join('state'))
      await using mover = connectAgent({ host: HOST, port: agent.port, tls })
      await mover.freeze(orderFor(path), never)
      assert.equal(await heldOf(mover, path), 1)
      agent.child.kill('SIGKILL')
      await once(agent.child, 'exit')
    }
    await using agent = await startProcess(place, folder.join('state'))
    await using mover = connectAgent({ host: HOST, port: agent.port, tls })
    assert.match(agent.said(), /Released .* the run that it was made for has ended/)
    assert.equal(await heldOf(mover, path), 0)
    await mover.freeze(orderFor(path), never)
    agent.child.kill('SIGHUP')
    await eventually(
      () => /anew/.test(agent.said()),
      () => agent.said(),
    )
    agent.child.kill('SIGTERM')
    const [exitCode] = await once(agent.child, 'exit')
    assert.equal(exitCode, 0, agent.said())
    await using last = await startProcess(place, folder.join('state'))
    assert.doesNotMatch(last.said(), /Released/)
  },
)
