import assert from 'node:assert/strict'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { testAgentFolder, testAuthority } from '../../test/support/authority.ts'
import { cloningFileSystem, needsCloning } from '../../test/support/cloning-file-system.ts'
import { eventually } from '../../test/support/eventually.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { systemRandomness } from '../cli/system-randomness.ts'
import { systemClock } from '../domain/clock.ts'
import { connectAgent, type AgentConnection } from '../rpc/connect-agent.ts'
import type { TlsMaterial } from '../rpc/tls-material.ts'
import { runAgent } from './run-agent.ts'

const never = new AbortController().signal
const HOST = '127.0.0.1'

type RunningAgent = AsyncDisposable & {
  readonly port: number
  readonly notices: readonly string[]
  reload(): void
  connect(tls: TlsMaterial): AgentConnection
}

async function startAgent(folder: string, stateFolder: string): Promise<RunningAgent> {
  const stop = new AbortController()
  const notices: string[] = []
  const listening = Promise.withResolvers<number>()
  let reload: (() => void) | null = null
  const running = runAgent({
    folder,
    stateFolder,
    version: '1.2.3',
    clock: systemClock,
    randomness: systemRandomness,
    signal: stop.signal,
    notice: (message) => notices.push(message),
    onReload: (listener) => {
      reload = listener
      return { [Symbol.dispose]: () => {} }
    },
    onListening: ({ port }) => listening.resolve(port),
  })
  running.catch(listening.reject)
  const port = await listening.promise
  return {
    port,
    notices,
    reload: () => reload?.(),
    connect: (tls) => connectAgent({ host: HOST, port, tls }),
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await running
    },
  }
}

function orderFor(path: string): Parameters<AgentConnection['freeze']>[0] {
  const lineageKey = systemRandomness.bytes(16).toHex()
  return { sources: [path], lineage: 'l', lineageKey, leaseSeconds: 60, provider: 'auto', basePointId: null }
}

test('runAgent() refuses what its configuration does not allow, and notes every call', async () => {
  using folder = temporaryFolder()
  const authority = await testAuthority(folder.join('authority'))
  const place = folder.join('agent')
  await testAgentFolder(authority, { name: HOST, folder: place })
  writeFileSync(`${place}/agent.yaml`, `listen: ${HOST}:0\nsources: [/srv/*.img]\n`)
  const allowed = folder.join('allowed.img')
  writeFileSync(allowed, new Uint8Array(8192).fill(7))
  await using agent = await startAgent(place, folder.join('state'))
  await using mover = agent.connect(await authority.moverTls())

  await assert.rejects(mover.freeze(orderFor(allowed), never), {
    code: 'AGENT_REFUSED',
    message: /refuses to freeze ".*allowed.img": no pattern of its configuration allows that/,
  })
  writeFileSync(`${place}/agent.yaml`, 'sources: [relative]\n')
  agent.reload()
  await eventually(() => agent.notices.some((line) => /what was read before still counts/.test(line)))
  writeFileSync(`${place}/agent.yaml`, `listen: ${HOST}:0\nsources: [${allowed}]\n`)
  agent.reload()
  await eventually(() => agent.notices.some((line) => line.startsWith('Read agent.yaml')))
  const frozen = await mover.freeze({ ...orderFor(allowed), provider: 'device' }, never)
  assert.deepEqual(
    frozen.images.map(({ provider, base }) => [provider, base]),
    [['device', 'none']],
  )
  assert.deepEqual(await mover.listSources(never), [{ pattern: allowed, mayRestore: false }])
  await mover.release(frozen.groupId, never)

  assert.equal((await mover.status(never)).version, '1.2.3')
  assert.equal(await authority.renewIfDue(mover, HOST, never), false)
  const log = folder.join('state', 'audit.log')
  assert.equal(statSync(log).mode & 0o777, 0o600)
  const lines = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.slice(0, 4).map(({ method, outcome }) => [method, outcome]),
    [
      ['Freeze', 'failed'],
      ['Freeze', 'done'],
      ['ListSources', 'done'],
      ['Release', 'done'],
    ],
  )
  assert.match(lines[0].failure, /^The agent refuses to freeze/)
  assert.match(lines[0].about, /allowed\.img/)
  assert.match(lines[0].serial, /^[0-9A-F]+$/)
})

test('runAgent() releases what runs hold when it stops', { skip: needsCloning('xfs') }, async () => {
  using folder = temporaryFolder()
  using mounted = cloningFileSystem('xfs')
  const path = mounted.join('disk.img')
  writeFileSync(path, new Uint8Array(1024 * 1024).fill(3))
  const authority = await testAuthority(folder.join('authority'))
  const place = folder.join('agent')
  await testAgentFolder(authority, { name: HOST, folder: place })
  writeFileSync(`${place}/agent.yaml`, `listen: ${HOST}:0\nsources: [${path}]\n`)
  const tls = await authority.moverTls()
  const ofPath = async (mover: AgentConnection): Promise<unknown> =>
    (await mover.status(never)).held.filter(({ source }) => source === path).length
  {
    await using agent = await startAgent(place, folder.join('state'))
    await using mover = agent.connect(tls)
    const { images } = await mover.freeze(orderFor(path), never)
    const [image] = images
    assert.ok(image)
    assert.equal(await ofPath(mover), 1)
    const pieces: number[] = []
    const what = { imageId: image.imageId, ranges: [{ offset: 4096, length: 10_000 }] }
    for await (const { bytes } of mover.read(what, never)) pieces.push(...bytes)
    assert.ok(pieces.length === 10_000 && pieces.every((byte) => byte === 3))
  }
  await using agent = await startAgent(place, folder.join('state'))
  await using mover = agent.connect(tls)
  assert.equal(await ofPath(mover), 0)
})

test('runAgent() reads no configuration that others can write', async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.join('agent.yaml'), 'sources: [/a]\n')
  chmodSync(folder.join('agent.yaml'), 0o666)
  await assert.rejects(startAgent(folder.path, folder.path), {
    code: 'USAGE_WRONG',
    message: /others can write/,
  })
})
