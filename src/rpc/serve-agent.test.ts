import assert from 'node:assert/strict'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { agentPair, type AgentPair, all, NEVER } from '../../test/support/agent-pair.ts'
import { eventually } from '../../test/support/eventually.ts'
import { testAuthority } from '../../test/support/rpc-certificates.ts'
import { scriptedAgent } from '../../test/support/scripted-agent.ts'
import { clockAt } from '../../test/support/shifted-clock.ts'
import { untilAborted } from '../../test/support/until-aborted.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { AgentApi, PieceToWrite } from './agent-api.ts'
import { KeyPurpose } from './x509-parts.ts'
import { connectAgent } from './connect-agent.ts'
import { serveAgent } from './serve-agent.ts'
import type { TlsMaterial } from './tls-material.ts'
import { tlsOptions } from './tls-options.ts'

const DAY_MS = 86_400_000
const MIB = 1024 * 1024
const lastWeek = clockAt(-7)
const answering: Partial<AgentApi> = {
  listSources: () => Promise.resolve([]),
  load: () => Promise.resolve({ readLatencyMs: null, writeLatencyMs: null, inFlight: 0 }),
}

/** What a client with this certificate hears. */
async function ask(pair: AgentPair, tls: TlsMaterial): Promise<BackupError | null> {
  await using agent = connectAgent({ host: '127.0.0.1', port: pair.server.port, tls })
  try {
    await agent.listSources(NEVER)
    return null
  } catch (error) {
    if (error instanceof BackupError) return error
    throw error
  }
}

test('serveAgent() answers movers of its authority, and nobody else', async () => {
  await using pair = await agentPair(answering)
  const { authority } = pair
  assert.equal(await ask(pair, authority.issue({ role: 'mover' })), null)
  const own = authority.issue({ role: 'mover' })
  const stranger = { ...testAuthority().issue({ role: 'mover' }), authority: own.authority }
  const expired = authority.issue({ role: 'mover', clock: lastWeek, validMs: DAY_MS })
  const server = authority.issue({ role: 'agent' })
  for (const [name, tls] of Object.entries({ stranger, expired, server })) {
    assert.equal((await ask(pair, tls))?.code, ErrorCode.ConnectionFailed, name)
  }
  const agent = authority.issue({ role: 'agent', purposes: [KeyPurpose.Client, KeyPurpose.Server] })
  const refused = await ask(pair, agent)
  assert.equal(refused?.code, ErrorCode.AgentRefused)
  assert.match(refused.message, /its certificate is of role "agent", required is role "mover"/)
  // Who is refused stands in the log: with a name where there was one.
  await eventually(() => pair.calls.length === 2 && pair.refused.length >= 3)
  assert.deepEqual(
    pair.calls.map(({ peer, failure }) => [peer.role, failure === null]),
    [
      ['mover', true],
      ['agent', false],
    ],
  )
  assert(pair.refused.every(({ address, reason }) => address.includes('127.0.0.1') && reason !== ''))
})

test('serveAgent() says nothing to a client without a certificate', async () => {
  await using pair = await agentPair(answering)
  const tls = pair.authority.issue({ role: 'mover' })
  const { port } = pair.server
  const nameless = connectTls({ ca: tls.authority, host: '127.0.0.1', port, ALPNProtocols: ['h2'] })
  let said = 0
  let ended = ''
  nameless.on('data', (bytes) => (said += bytes.length))
  nameless.on('error', (error) => (ended = error.message))
  await eventually(() => ended !== '' && pair.refused.length === 1)
  assert.match(ended, /certificate required|ECONNRESET/i)
  assert.match(pair.refused[0]?.reason ?? '', /did not return a certificate/)
  assert.equal(said, 0)
  assert.equal(pair.calls.length, 0)
  // Nor in older TLS.
  const old = connectTls({
    ...tlsOptions(tls),
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    host: '127.0.0.1',
    port,
  })
  ended = ''
  old.on('error', (error) => (ended = error.message))
  await eventually(() => ended !== '')
  assert.match(ended, /protocol version/)
})

test('connectAgent() speaks with agents of its authority, for this host, and nobody else', async () => {
  const authority = testAuthority()
  const mover = authority.issue({ role: 'mover' })
  const right = authority.issue({ role: 'agent' })
  const wrong: Readonly<Record<string, readonly [TlsMaterial, TlsMaterial, RegExp]>> = {
    'for another host': [
      authority.issue({ role: 'agent', host: 'other.example' }),
      mover,
      /its certificate is for "DNS:other\.example", expected "127\.0\.0\.1"/,
    ],
    'of another authority': [
      { ...testAuthority().issue({ role: 'agent' }), authority: mover.authority },
      mover,
      /signed by another authority/,
    ],
    expired: [
      authority.issue({ role: 'agent', clock: lastWeek, validMs: DAY_MS }),
      mover,
      /its certificate has expired, or clocks differ/,
    ],
    revoked: [right, authority.revoke(mover, right), /its certificate is revoked/],
  }
  for (const [name, [server, client, message]] of Object.entries(wrong)) {
    await using served = await serveAgent({
      api: scriptedAgent(answering),
      tls: server,
      listen: { host: '127.0.0.1', port: 0 },
      onCall: () => assert.fail(name),
    })
    await using agent = connectAgent({ host: '127.0.0.1', port: served.port, tls: client })
    await assert.rejects(agent.listSources(NEVER), { code: ErrorCode.ConnectionFailed, message }, name)
  }
})

test('replaceTls() keeps calls under way, and ends those of a peer that is revoked', async () => {
  const authority = testAuthority()
  const tls = authority.issue({ role: 'agent' })
  const [good, bad] = [authority.issue({ role: 'mover', name: 'good' }), authority.issue({ role: 'mover' })]
  const done = new Set<string>()
  await using server = await serveAgent({
    api: scriptedAgent({
      ...answering,
      async *delta({ imageId }, signal) {
        for (let offset = 0; !signal.aborted && !done.has(imageId); offset += 1) {
          yield [{ offset, length: 1 }]
          await sleep(5)
        }
      },
    }),
    tls,
    listen: { host: '127.0.0.1', port: 0 },
    onCall: () => {},
  })
  const patience = { resumeDelayMs: 1, outageMs: 200, pingIntervalMs: 20, pingTimeoutMs: 2000 }
  const at = { host: '127.0.0.1', port: server.port, patience }
  await using goodAgent = connectAgent({ ...at, tls: good })
  await using badAgent = connectAgent({ ...at, tls: bad })
  const from = { startingOffset: 0, basePointId: 'p' }
  const counts = { good: 0, bad: 0 }
  const goodStream = (async () => {
    for await (const batch of goodAgent.delta({ ...from, imageId: 'good' }, NEVER))
      counts.good += batch.length
  })()
  const badStream = assert.rejects(
    async () => {
      for await (const batch of badAgent.delta({ ...from, imageId: 'bad' }, NEVER)) counts.bad += batch.length
    },
    { code: ErrorCode.ConnectionFailed, message: /revoked|reset/ },
  )
  await eventually(() => counts.good > 0 && counts.bad > 0)
  server.replaceTls(authority.revoke(tls, bad))
  await badStream
  // A new certificate as well, while the stream of the other goes on.
  server.replaceTls(authority.revoke(authority.issue({ role: 'agent' }), bad))
  // For long enough that its connection, on which nothing new may begin, would have been given up.
  const before = counts.good
  await eventually(() => counts.good > before + 500)
  assert.deepEqual(await goodAgent.listSources(NEVER), [])
  done.add('good')
  await goodStream
  await assert.rejects(badAgent.listSources(NEVER), {
    code: ErrorCode.ConnectionFailed,
    message: /perhaps our certificate is revoked/,
  })
})

test('serveAgent() does not answer a certificate that has ended since the connection was made', async () => {
  const authority = testAuthority()
  let clock = clockAt(0)
  await using server = await serveAgent({
    api: scriptedAgent(answering),
    tls: authority.issue({ role: 'agent' }),
    listen: { host: '127.0.0.1', port: 0 },
    onCall: () => {},
    clock: { now: () => clock.now() },
  })
  const tls = authority.issue({ role: 'mover', validMs: DAY_MS })
  const at = { host: '127.0.0.1', port: server.port }
  await using agent = connectAgent({ ...at, tls, patience: { outageMs: 0 } })
  assert.deepEqual(await agent.listSources(NEVER), [])
  // One that makes itself another certificate before its own ends goes on.
  const next = [tls, authority.issue({ role: 'mover', validMs: 3 * DAY_MS })]
  const fresh = (): Promise<TlsMaterial> => Promise.resolve(next.shift() ?? tls)
  await using lasting = connectAgent({ ...at, tls: fresh, patience: { resumeDelayMs: 1 } })
  assert.deepEqual(await lasting.listSources(NEVER), [])
  clock = clockAt(2)
  await assert.rejects(agent.listSources(NEVER), { code: ErrorCode.ConnectionFailed })
  assert.deepEqual(await lasting.listSources(NEVER), [])
  assert.equal(next.length, 0)
})

test('serveAgent() outlives nonsense', async () => {
  await using pair = await agentPair(answering)
  const { port } = pair.server
  const raw = connect(port, '127.0.0.1')
  raw.on('error', () => {})
  raw.write('GET / HTTP/1.1\r\n\r\n')
  await new Promise((resolve) => raw.once('close', resolve))
  const tls = pair.authority.issue({ role: 'mover' })
  const options = { ...tlsOptions(tls), host: '127.0.0.1', port }
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
  for (const text of ['\xff'.repeat(100_000), `${preface}${'\xff'.repeat(20)}`]) {
    const socket = connectTls({ ...options, ALPNProtocols: ['h2'] })
    socket.on('error', () => {})
    socket.write(Buffer.from(text, 'latin1'))
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
  }
  const http1 = connectTls({ ...options, ALPNProtocols: ['http/1.1'] })
  await new Promise((resolve) => http1.once('close', resolve).on('error', () => {}))
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ...tlsOptions(tls) })
  const method = '/icecore.v1.AgentService/ListSources'
  const grpc = { 'content-type': 'application/grpc', te: 'trailers' }
  const requests = [
    [{ ':path': '/', ':method': 'GET' }, ''],
    [{ ':path': method, ':method': 'GET' }, ''],
    [{ ':path': method, ':method': 'POST' }, 'x'],
    [{ ':path': method, ':method': 'POST', ...grpc }, '\x00\x00\x00\x00\x05\xff\xff\xff\xff\xff'],
    [{ ':path': method, ':method': 'POST', ...grpc }, '\x00\xff\xff\xff\xff'],
    [{ ':path': method, ':method': 'POST', ...grpc }, '\x01\x00\x00\x00\x00'],
    [{ ':path': `${method}?${'x'.repeat(5000)}`, ':method': 'POST', ...grpc, 'grpc-timeout': 'soon' }, ''],
    [{ ':path': 'nonsense', ':method': 'POST', 'content-type': 'application/json' }, '{'],
    [{ ':path': method, ':method': 'POST', 'content-type': 'application/json' }, '{"a":'],
  ] as const
  for (const [headers, body] of requests) {
    const stream = session.request(headers)
    stream.on('error', () => {})
    stream.end(Buffer.from(body, 'latin1'))
    stream.resume()
    await new Promise((resolve) => stream.once('close', resolve))
  }
  session.destroy()
  // The path that is none does not get as far as a call.
  await eventually(() => pair.calls.length === requests.length - 1)
  assert(pair.calls.every(({ failure }) => failure !== null))
  assert.deepEqual(await pair.agent.listSources(NEVER), [])
})

test('serveAgent() takes no request that is too large, has too much in it, or cannot be meant', async () => {
  await using pair = await agentPair({
    ...answering,
    release: () => assert.fail('reached'),
    freeze: () => assert.fail('reached'),
    renew: () => assert.fail('reached'),
    keep: () => assert.fail('reached'),
    challenge: () => assert.fail('reached'),
    openTarget: () => assert.fail('reached'),
    extents: async function* () {
      yield await Promise.resolve({ imageSizeBytes: 4096, epoch: 'e', extents: [] })
    },
    write: async (_, pieces) => {
      await all(pieces)
      return assert.fail('all came')
    },
  })
  const { agent } = pair
  const wrong = { code: ErrorCode.UsageWrong, message: /^Cannot take the request / }
  await assert.rejects(agent.release('', NEVER), wrong)
  await assert.rejects(agent.release('x'.repeat(5000), NEVER), wrong)
  await assert.rejects(agent.renew({ groupId: 'g', leaseSeconds: 1e6 }, NEVER), wrong)
  await assert.rejects(agent.keep({ groupId: 'g', pointId: 'x' }, NEVER), wrong)
  const order = {
    sources: ['/dev/a'],
    lineage: 'l',
    lineageKey: '0'.repeat(32),
    leaseSeconds: 5,
    provider: 'auto',
    basePointId: null,
  }
  await assert.rejects(agent.freeze({ ...order, sources: [] }, NEVER), wrong)
  await assert.rejects(agent.freeze({ ...order, lineageKey: '../../etc' }, NEVER), wrong)
  await assert.rejects(agent.freeze({ ...order, sources: Array<string>(5000).fill('/dev/a') }, NEVER), wrong)
  const range = { offset: 0, length: 1024 * 1024 }
  const key = new Uint8Array(32)
  for (const question of [
    { imageId: 'i', key: key.subarray(1), ranges: [range] },
    { imageId: 'i', key, ranges: Array.from({ length: 1025 }, () => range) },
    { imageId: 'i', key, ranges: [{ offset: 0, length: 1024 * 1024 + 1 }] },
    { imageId: 'i', key, ranges: [{ offset: Number.MAX_SAFE_INTEGER, length: 5 }] },
  ]) {
    await assert.rejects(agent.challenge(question, NEVER), wrong)
  }
  const what = { imageId: 'i', ranges: [range, { offset: 5, length: 5 }] }
  await assert.rejects(all(agent.read(what, NEVER)), wrong)
  await assert.rejects(all(agent.extents({ imageId: 'i', startingOffset: 5000 }, NEVER)), {
    code: ErrorCode.UsageWrong,
    message: /Cannot begin at 5000 of image "i": it has 4096 bytes/,
  })
  const tooLarge = new Uint8Array(1024 * 1024 + 1)
  async function* large(): AsyncGenerator<{ kind: 'data'; offset: number; bytes: Uint8Array }> {
    yield await Promise.resolve({ kind: 'data', offset: 0, bytes: tooLarge })
  }
  await assert.rejects(agent.write('t', large(), NEVER), wrong)
  assert.deepEqual(await agent.listSources(NEVER), [])
})

test('serveAgent() ends calls with a reason when it stops', async () => {
  const authority = testAuthority()
  const started = Promise.withResolvers<void>()
  const server = await serveAgent({
    api: scriptedAgent({
      load: async (_, signal) => {
        started.resolve()
        await untilAborted(signal)
        throw signal.reason
      },
    }),
    tls: authority.issue({ role: 'agent' }),
    listen: { host: '127.0.0.1', port: 0 },
    onCall: () => {},
  })
  const tls = authority.issue({ role: 'mover' })
  await using agent = connectAgent({ host: '127.0.0.1', port: server.port, tls })
  const answer = assert.rejects(agent.load('i', NEVER), {
    code: ErrorCode.AgentRefused,
    message: 'Cannot finish the call: the agent is stopping',
  })
  await started.promise
  await server[Symbol.asyncDispose]()
  await answer
})

for (const side of ['server', 'agent'] as const) {
  test(`${side === 'server' ? 'serveAgent()' : 'connectAgent()'} ends while what it sends is stuck in the network`, async () => {
    let readCount = 0
    let writtenCount = 0
    await using pair = await agentPair({
      async *read() {
        for (let offset = 0; ; offset += MIB) {
          readCount += 1
          yield await Promise.resolve({ offset, bytes: new Uint8Array(MIB) })
        }
      },
      async write(_, pieces) {
        for await (const _piece of pieces) writtenCount += 1
        return writtenCount
      },
    })
    let sentCount = 0
    async function* endless(): AsyncGenerator<PieceToWrite> {
      for (let offset = 0; ; offset += MIB) {
        sentCount += 1
        yield await Promise.resolve({ kind: 'data', offset, bytes: new Uint8Array(MIB) })
      }
    }
    const ranges = Array.from({ length: 1000 }, (_, index) => ({ offset: index * MIB, length: MIB }))
    const over = { code: ErrorCode.ConnectionFailed }
    const calls =
      side === 'server'
        ? all(pair.agent.read({ imageId: 'i0', ranges }, NEVER))
        : pair.agent.write('t1', endless(), NEVER)
    const failed = assert.rejects(calls, over)
    await eventually(() => readCount > 2 || writtenCount > 2)
    pair.proxy.isStalled = true
    for (let before = -1; before !== readCount + sentCount;) {
      before = readCount + sentCount
      await sleep(200)
    }
    let isEnded = false
    const ending = pair[side][Symbol.asyncDispose]().then(() => (isEnded = true))
    await eventually(() => isEnded)
    await ending
    if (side === 'server') await pair.agent[Symbol.asyncDispose]()
    await failed
  })
}

test('serveAgent() says where it cannot listen', async () => {
  await using pair = await agentPair({})
  const parts = { api: scriptedAgent({}), tls: pair.authority.issue({ role: 'agent' }), onCall: () => {} }
  await assert.rejects(serveAgent({ ...parts, listen: { host: '127.0.0.1', port: pair.server.port } }), {
    code: ErrorCode.ConnectionFailed,
    message: new RegExp(`^Cannot listen on "127\\.0\\.0\\.1" port ${pair.server.port}: .*EADDRINUSE`),
  })
})
