import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { agentPair, all, NEVER } from '../../test/support/agent-pair.ts'
import { eventually } from '../../test/support/eventually.ts'
import { untilAborted } from '../../test/support/until-aborted.ts'
import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { AgentApi, FreezeOrder, FrozenByAgent, PieceToWrite, TargetOfAgent } from './agent-api.ts'
import { connectAgent } from './connect-agent.ts'

const POINT = 'ab'.repeat(32)
const disk = { name: 'wwn:0x5000', sizeBytes: 2 ** 42, sectorSizeBytes: 4096 }
const order: FreezeOrder = {
  sources: ['/dev/vg0/home', '/srv/with "quotes" and ü'],
  lineage: 'home',
  lineageKey: '0123456789abcdef'.repeat(2),
  leaseSeconds: 600,
  provider: 'auto',
  basePointId: POINT,
}
const frozen: FrozenByAgent = {
  groupId: 'g1',
  images: order.sources.map((source, index) => ({
    imageId: `i${index}`,
    source,
    provider: 'lvm-thin',
    heldId: `h${index}`,
    heldSource: 'vg0/home',
    sizeBytes: 2 ** 40 + index,
    sectorSizeBytes: 512,
    epoch: 'e1',
    devices: index === 0 ? [disk, { ...disk, name: null }] : [],
    base: (['held', 'lost'] as const)[index] ?? 'none',
    windowMs: index === 0 ? 12 : null,
  })),
  freeze: {
    hooks: [
      {
        stage: 'before-freeze',
        program: '/etc/hook',
        durationMs: 5,
        exitCode: null,
        failure: 'a signal ended it',
        output: 'line 1\nline 2',
      },
    ],
    mountPoints: ['/home'],
    windowMs: 40,
  },
  degraded: [{ code: 'MOMENTS_DIFFER', message: 'Each is of another moment' }],
  leaseSeconds: 300,
}
const target: TargetOfAgent = {
  targetId: 't1',
  sizeBytes: 4096,
  sectorSizeBytes: 512,
  epoch: 'e7',
  devices: [disk],
  leaseSeconds: 60,
}

test('connectAgent() carries every question and every answer unchanged', async () => {
  const asked: unknown[] = []
  function answers<T>(value: T): (...words: readonly unknown[]) => Promise<T> {
    return (...words) => {
      asked.push(words.slice(0, -1))
      return Promise.resolve(value)
    }
  }
  const status = {
    version: '1.2.3',
    host: 'prod',
    nowMs: 1_700_000_000_000,
    certificateEndsAtMs: 1_800_000_000_000,
    held: [
      {
        id: 'x',
        label: 'held for home',
        source: 'vg0/home',
        provider: 'lvm',
        createdAtMs: 5,
        basePointId: null,
        heldBytes: null,
      },
    ],
    disks: [disk],
  }
  const load = { readLatencyMs: 1.5, writeLatencyMs: null, inFlight: 3 }
  const digests = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  const request = Uint8Array.of(0x30, 0)
  await using pair = await agentPair({
    status: answers(status),
    listSources: answers([{ pattern: '/dev/*', mayRestore: true }]),
    freeze: answers(frozen),
    challenge: answers(digests),
    load: answers(load),
    renew: answers(3),
    keep: answers(undefined),
    release: answers(undefined),
    openTarget: answers(target),
    closeTarget: answers(undefined),
    signingRequest: answers(request),
    installCertificate: answers(undefined),
  })
  const { agent } = pair
  const question = {
    imageId: 'i0',
    key: new Uint8Array(32).fill(9),
    ranges: [
      { offset: 4096, length: 512 },
      { offset: 0, length: 1 },
    ],
  }
  const targetOrder = { path: '/dev/vg0/new', sizeBytesMin: 10, leaseSeconds: 60 }
  const issued = { certificate: request, revoked: null }
  assert.deepEqual(await agent.status(NEVER), status)
  assert.deepEqual(await agent.listSources(NEVER), [{ pattern: '/dev/*', mayRestore: true }])
  assert.deepEqual(await agent.freeze(order, NEVER), frozen)
  assert.deepEqual(await agent.challenge(question, NEVER), digests)
  assert.deepEqual(await agent.load('i0', NEVER), load)
  assert.equal(await agent.renew({ groupId: 'g1', leaseSeconds: 5 }, NEVER), 3)
  await agent.keep({ groupId: 'g1', pointId: POINT }, NEVER)
  await agent.release('g1', NEVER)
  assert.deepEqual(await agent.openTarget(targetOrder, NEVER), target)
  await agent.closeTarget('t1', NEVER)
  assert.deepEqual(await agent.signingRequest(NEVER), request)
  await agent.installCertificate(issued, NEVER)
  assert.deepEqual(asked, [
    [],
    [],
    [order],
    [question],
    ['i0'],
    [{ groupId: 'g1', leaseSeconds: 5 }],
    [{ groupId: 'g1', pointId: POINT }],
    ['g1'],
    [targetOrder],
    ['t1'],
    [],
    [issued],
  ])
})

test('nextArrival() says when the agent has a question, which is before its answer', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  let isAsked = false
  await using pair = await agentPair({
    renew: async () => {
      isAsked = true
      await answered
      return 7
    },
  })
  await pair.agent.certificateEndsAtMs(NEVER)
  let hasArrived = false
  const arrived = pair.agent.nextArrival().then(() => (hasArrived = true))
  await sleep(50)
  assert.equal(hasArrived, false)
  const renewed = pair.agent.renew({ groupId: 'g', leaseSeconds: 7 }, NEVER)
  await arrived
  await eventually(() => isAsked)
  answer()
  assert.equal(await renewed, 7)
})

test('connectAgent() carries bytes both ways', async () => {
  const written: PieceToWrite[] = []
  await using pair = await agentPair({
    async *read({ ranges }) {
      for (const { offset, length } of ranges) {
        yield await Promise.resolve({ offset, bytes: new Uint8Array(length).fill(offset % 251) })
      }
    },
    async write(targetId, pieces) {
      assert.equal(targetId, 't1')
      let writtenBytes = 0
      for await (const piece of pieces) {
        written.push(piece)
        writtenBytes += piece.kind === 'data' ? piece.bytes.byteLength : piece.length
      }
      return writtenBytes
    },
  })
  const ranges = [
    { offset: 100, length: 3 * 1024 * 1024 + 7 },
    { offset: 2 ** 40, length: 1 },
  ]
  const pieces = await all(pair.agent.read({ imageId: 'i0', ranges }, NEVER))
  assert.deepEqual(
    pieces.map(({ offset, bytes }) => [offset, bytes.byteLength]),
    [
      [100, 1_048_576],
      [1_048_676, 1_048_576],
      [2_097_252, 1_048_576],
      [3_145_828, 7],
      [2 ** 40, 1],
    ],
  )
  assert(pieces.slice(0, 4).every(({ bytes }) => bytes.every((byte) => byte === 100)))
  const sent: PieceToWrite[] = [
    { kind: 'data', offset: 0, bytes: new Uint8Array(1024 * 1024).fill(3) },
    { kind: 'zero', offset: 2 ** 20, length: 2 ** 45 },
  ]
  async function* sending(): AsyncGenerator<PieceToWrite> {
    yield* sent
    await Promise.resolve()
  }
  assert.equal(await pair.agent.write('t1', sending(), NEVER), 2 ** 20 + 2 ** 45)
  assert.deepEqual(written, sent)
})

test('connectAgent() throws the errors of the agent with their codes and sentences', async () => {
  const errors = [
    new BackupError(ErrorCode.ImageLost, 'Cannot read image "i0": its snapshot overflowed'),
    new BackupError(ErrorCode.SourceMissing, 'Cannot freeze "/dev/ü": there is none'),
    new BackupError(ErrorCode.ChangesUnknown, 'Cannot tell what changed: the base is not held'),
  ]
  await using pair = await agentPair({
    release: (groupId) => Promise.reject(errors[Number(groupId)] ?? new TypeError('secret of the agent')),
  })
  for (const [index, { code, message }] of errors.entries()) {
    await assert.rejects(pair.agent.release(`${index}`, NEVER), { code, message })
  }
  await assert.rejects(pair.agent.release('99', NEVER), (error) => {
    assert(isBackupError(error, ErrorCode.AgentRefused))
    assert.match(error.message, /the agent failed unexpectedly; its log says more/)
    assert.doesNotMatch(error.message, /secret/)
    return true
  })
  // What the mover is not told stands in the log of the agent.
  await eventually(() => pair.calls.length === 4)
  assert.equal(pair.calls[3]?.failure, 'secret of the agent')
})

test('connectAgent() takes a code that it does not know for a refusal', async () => {
  const newer = new BackupError(ErrorCode.UsageWrong, 'Cannot do it: the moon is full')
  Object.defineProperty(newer, 'code', { value: 'MOON_FULL' })
  await using pair = await agentPair({ release: () => Promise.reject(newer) })
  await assert.rejects(pair.agent.release('g1', NEVER), {
    code: ErrorCode.AgentRefused,
    message: 'Cannot do it: the moon is full',
  })
})

test('connectAgent() says where nobody answers', async () => {
  await using pair = await agentPair({}, { connectMs: 2000 })
  const tls = pair.authority.issue({ role: 'mover' })
  const { port } = pair.proxy
  pair.proxy.isDown = true
  await assert.rejects(pair.agent.status(NEVER), {
    code: ErrorCode.ConnectionFailed,
    message: new RegExp(`^Cannot reach agent "127\\.0\\.0\\.1:${port}": the connection was reset`),
  })
  // A port that was free a moment ago.
  const free = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => free.once('listening', resolve))
  const address = free.address()
  assert(typeof address === 'object' && address !== null)
  await new Promise((resolve) => free.close(resolve))
  await using nobody = connectAgent({ host: '127.0.0.1', port: address.port, tls })
  await assert.rejects(nobody.status(NEVER), {
    code: ErrorCode.ConnectionFailed,
    message: `Cannot reach agent "127.0.0.1:${address.port}": nothing listens there (ECONNREFUSED)`,
  })
  // A server that takes the connection and says nothing.
  pair.proxy.isDown = false
  pair.proxy.isSilent = true
  await assert.rejects(pair.agent.status(NEVER), {
    code: ErrorCode.ConnectionFailed,
    message: new RegExp(`"127\\.0\\.0\\.1:${port}": it does not answer within 2000 ms`),
  })
  // And when it is there again, the same connection is of use again.
  pair.proxy.isSilent = false
  await assert.rejects(pair.agent.status(NEVER), { code: ErrorCode.AgentRefused })
})

/** Has the mover wait for longer, until the agent has begun before it is given up: how long that takes is the machine's affair. */
async function untilBegun(attempt: (waitMs: number) => Promise<boolean>): Promise<void> {
  for (const waitMs of [100, 1000, 10_000]) {
    if (await attempt(waitMs)) return
  }
  assert.fail('the agent was given up before it had begun')
}

test('connectAgent() notices that the agent is gone without a word', async () => {
  await untilBegun(async (pingTimeoutMs) => {
    const started = Promise.withResolvers<true>()
    await using pair = await agentPair(
      {
        load: async (_, signal) => {
          started.resolve(true)
          await untilAborted(signal)
          throw signal.reason
        },
      },
      { pingIntervalMs: 30, pingTimeoutMs },
    )
    const failed = assert.rejects(pair.agent.load('i0', NEVER), {
      code: ErrorCode.ConnectionFailed,
      message: new RegExp(`it has not answered for ${pingTimeoutMs} ms`),
    })
    const hasStarted = await Promise.race([started.promise, failed.then(() => false)])
    pair.proxy.isSilent = true
    await failed
    return hasStarted
  })
})

test('connectAgent() waits for an answer only so long', async () => {
  await untilBegun(async (answerMs) => {
    let hasBegun = false
    let isCancelled = false
    await using pair = await agentPair(
      {
        load: async (_, signal) => {
          hasBegun = true
          await untilAborted(signal)
          isCancelled = true
          throw signal.reason
        },
      },
      { answerMs },
    )
    await assert.rejects(pair.agent.load('i0', NEVER), {
      code: ErrorCode.ConnectionFailed,
      message: new RegExp(`it was silent for ${answerMs} ms`),
    })
    if (hasBegun) await eventually(() => isCancelled)
    return hasBegun
  })
})

test('connectAgent() gives up a stream that is silent', async () => {
  await untilBegun(async (silenceMs) => {
    let isCancelled = false
    await using pair = await agentPair(
      {
        async *delta(_, signal) {
          try {
            yield [{ offset: 0, length: 1 }]
            await untilAborted(signal)
          } finally {
            isCancelled = signal.aborted
          }
        },
      },
      { silenceMs, outageMs: 0 },
    )
    let batchCount = 0
    const from = { imageId: 'i0', startingOffset: 0, basePointId: POINT }
    await assert.rejects(
      async () => {
        for await (const batch of pair.agent.delta(from, NEVER)) batchCount += batch.length
      },
      { code: ErrorCode.ConnectionFailed, message: new RegExp(`it was silent for ${silenceMs} ms`) },
    )
    if (batchCount > 0) await eventually(() => isCancelled)
    return batchCount > 0
  })
})

test('connectAgent() tells the agent when a call is cancelled, and when a stream is left', async () => {
  const ended: string[] = []
  async function* endless(
    name: string,
    signal: AbortSignal,
  ): AsyncGenerator<[{ offset: number; length: 1 }]> {
    try {
      for (let offset = 0; !signal.aborted; offset += 1) {
        yield [{ offset, length: 1 }]
        await sleep(1)
      }
    } finally {
      ended.push(name)
    }
  }
  await using pair = await agentPair({ delta: ({ imageId }, signal) => endless(imageId, signal) })
  const from = { startingOffset: 0, basePointId: POINT }
  for await (const batch of pair.agent.delta({ ...from, imageId: 'left' }, NEVER)) {
    assert.equal(batch.length, 1)
    break
  }
  await eventually(() => ended.includes('left'))
  const reason = new Error('The user has had enough')
  const controller = new AbortController()
  await assert.rejects(async () => {
    for await (const batch of pair.agent.delta({ ...from, imageId: 'cancelled' }, controller.signal)) {
      assert.equal(batch.length, 1)
      controller.abort(reason)
    }
  }, reason)
  await eventually(() => ended.includes('cancelled'))
  await assert.rejects(pair.agent.status(controller.signal), reason)
  await eventually(() => pair.calls.length === 2)
  assert.deepEqual(
    pair.calls.map(({ failure }) => failure !== null),
    [true, true],
  )
})

test('connectAgent() never lets half of a restore look like all of it', async () => {
  const outcomes: string[] = []
  let takenCount = 0
  await using pair = await agentPair({
    async write(_, pieces) {
      try {
        for await (const piece of pieces) {
          assert.equal(piece.offset, 0)
          takenCount += 1
        }
        outcomes.push('whole')
      } catch {
        outcomes.push('cut off')
      }
      return 0
    },
  })
  const broken = new BackupError(ErrorCode.ChunkDamaged, 'Cannot read a chunk')
  async function* damaged(): AsyncGenerator<PieceToWrite> {
    yield { kind: 'zero', offset: 0, length: 4096 }
    await eventually(() => takenCount === 1)
    throw broken
  }
  await assert.rejects(pair.agent.write('t1', damaged(), NEVER), broken)
  await eventually(() => outcomes.length === 1)
  const controller = new AbortController()
  async function* cancelled(): AsyncGenerator<PieceToWrite> {
    yield { kind: 'zero', offset: 0, length: 4096 }
    await eventually(() => takenCount === 2)
    controller.abort(new Error('enough'))
  }
  await assert.rejects(pair.agent.write('t1', cancelled(), controller.signal), /enough/)
  await eventually(() => outcomes.length === 2)
  async function* cutOff(): AsyncGenerator<PieceToWrite> {
    yield { kind: 'zero', offset: 0, length: 4096 }
    await eventually(() => takenCount === 3)
    pair.proxy.breakAll()
  }
  await assert.rejects(pair.agent.write('t1', cutOff(), NEVER), { code: ErrorCode.ConnectionFailed })
  await eventually(() => outcomes.length === 3)
  assert.deepEqual(outcomes, ['cut off', 'cut off', 'cut off'])
})

test('connectAgent() holds back what a slow reader has not read', async () => {
  let sentBytes = 0
  const piece = new Uint8Array(1024 * 1024)
  const sizeBytes = 64 * piece.byteLength
  const read: AgentApi['read'] = async function* () {
    for (let offset = 0; offset < sizeBytes; offset += piece.byteLength) {
      sentBytes += piece.byteLength
      yield await Promise.resolve({ offset, bytes: piece })
    }
  }
  await using pair = await agentPair({ read })
  let readBytes = 0
  const stream = pair.agent.read({ imageId: 'i0', ranges: [{ offset: 0, length: sizeBytes }] }, NEVER)
  for await (const { bytes } of stream) {
    readBytes += bytes.byteLength
    if (readBytes > 4 * bytes.byteLength) continue
    // Until nothing more is sent: what lies between the two sides is full.
    for (let before = -1; before !== sentBytes;) {
      before = sentBytes
      await sleep(60)
    }
    assert(sentBytes - readBytes <= 24 * bytes.byteLength, `${sentBytes - readBytes} bytes lie between`)
  }
  assert.equal(readBytes, sizeBytes)
})
