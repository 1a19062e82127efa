import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { create, toBinary } from '@bufbuild/protobuf'
import { all, agentPair, NEVER } from '../../test/support/agent-pair.ts'
import { rawAgent } from '../../test/support/raw-agent.ts'
import { ErrorCode } from '../domain/backup-error.ts'
import type { Extent } from '../domain/extent.ts'
import type { Range } from '../domain/range.ts'
import type { AgentApi, ExtentsOfEpoch, StreamFrom } from './agent-api.ts'
import { ExtentKind, GetExtentsResponseSchema, type GetExtentsResponse } from './gen/icecore/v1/agent_pb.ts'

const BLOCK = 4096
const MAP: StreamFrom = { imageId: 'i0', startingOffset: 0 }
const DELTA = { ...MAP, basePointId: 'ab'.repeat(32) }

function data(index: number, count = 1): Extent {
  const offset = index * BLOCK
  return { kind: 'data', offset, length: count * BLOCK, device: 0, physicalOffset: 2 ** 40 + offset }
}

function part(extents: readonly Extent[], also: Partial<ExtentsOfEpoch> = {}): ExtentsOfEpoch {
  return { imageSizeBytes: 8 * BLOCK, epoch: 'e1', extents, ...also }
}

async function* stream<T>(...items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item)
}

async function* endless(): AsyncGenerator<ExtentsOfEpoch> {
  for (;;) {
    yield part([])
    await nextTurn()
  }
}

async function* beyond(): AsyncGenerator<ExtentsOfEpoch> {
  for (let index = 0; ; index += 1) {
    yield part([data(index)])
    await nextTurn()
  }
}

function nothing(): AsyncGenerator<ExtentsOfEpoch> {
  return stream<ExtentsOfEpoch>()
}

function disordered(): AsyncGenerator<Range[]> {
  return stream([{ offset: 4, length: 4 }], [{ offset: 6, length: 1 }])
}

function zeros(offset: number, length: number): { offset: number; bytes: Uint8Array } {
  return { offset, bytes: new Uint8Array(length) }
}

test('extents() refuses what the rules of the stream do not allow', async () => {
  const wrong: Readonly<Record<string, readonly [() => AsyncIterable<ExtentsOfEpoch>, RegExp]>> = {
    overlapping: [() => stream(part([data(0, 2), data(1, 7)])), /4096\+28672 comes after 8192/],
    'overlapping from message to message': [
      () => stream(part([data(0, 4)]), part([data(3, 5)])),
      /not ascending/,
    ],
    descending: [() => stream(part([data(4, 4), data(0, 4)])), /nothing|not ascending/],
    'with a gap': [() => stream(part([data(0), data(2, 6)])), /nothing is said of what lies before 8192/],
    'beginning late': [() => stream(part([data(1, 7)])), /nothing is said of what lies before 4096/],
    'ending early': [() => stream(part([data(0, 7)])), /the map ends at 28672 of 32768 bytes/],
    empty: [() => stream(), /the map ends at 0 of unknown bytes/],
    'beyond the end': [() => stream(part([data(0, 9)])), /0\+36864 is not within an image of 32768 bytes/],
    'ascending without end': [beyond, /32768\+4096 is not within/],
    enormous: [
      () => stream(part([{ ...data(0), length: Number.MAX_SAFE_INTEGER }])),
      /is not within an image of 32768 bytes/,
    ],
    'of no length': [() => stream(part([{ ...data(0), length: 0 }, data(0, 8)])), /is not within an image/],
    'with messages and no end': [endless, /1001 empty messages/],
    'of another size': [
      () => stream(part([data(0, 4)]), part([data(4, 4)], { imageSizeBytes: 9 * BLOCK })),
      /the image has 36864 bytes, and had 32768 before/,
    ],
    'of another epoch': [
      () => stream(part([data(0, 4)]), part([data(4, 4)], { epoch: 'e2' })),
      /the epoch changes within a stream/,
    ],
    'without an epoch': [() => stream(part([data(0, 8)], { epoch: '' })), /an epoch has 0 characters/],
    'with an endless epoch': [
      () => stream(part([data(0, 8)], { epoch: 'e'.repeat(5000) })),
      /an epoch has 5000 characters/,
    ],
  }
  let answer: () => AsyncIterable<ExtentsOfEpoch> = nothing
  await using pair = await agentPair({ extents: () => answer() })
  for (const [name, [items, message]] of Object.entries(wrong)) {
    answer = items
    await assert.rejects(
      all(pair.agent.extents(MAP, NEVER)),
      { code: ErrorCode.ProtocolWrong, message },
      name,
    )
  }
  // The same connection takes a whole one.
  answer = () =>
    stream(
      part([data(0, 4), data(4, 2)]),
      part([]),
      part([{ kind: 'zero', offset: 6 * BLOCK, length: 2 * BLOCK }]),
    )
  const parts = await all(pair.agent.extents(MAP, NEVER))
  assert.deepEqual(
    parts.flatMap(({ extents }) => extents.map(({ offset }) => offset / BLOCK)),
    [0, 4, 6],
  )
})

test('extents() holds an image to the size and the devices that it was frozen with', async () => {
  const image = {
    imageId: 'i0',
    source: '/dev/vg0/home',
    provider: 'lvm-thin',
    heldId: 'h',
    heldSource: 'vg0/home',
    sizeBytes: 8 * BLOCK,
    sectorSizeBytes: 512,
    epoch: 'e1',
    devices: [{ name: 'wwn:1', sizeBytes: 2 ** 40 + 8 * BLOCK, sectorSizeBytes: 512 }],
    base: 'none',
    windowMs: null,
  } as const
  let map: ExtentsOfEpoch = part([data(0, 8)])
  let leaseSeconds = 5
  await using pair = await agentPair({
    freeze: () =>
      Promise.resolve({ groupId: 'g', images: [image], freeze: null, degraded: [], leaseSeconds }),
    renew: () => Promise.resolve(leaseSeconds),
    extents: () => stream(map),
  })
  const order = {
    sources: ['/dev/vg0/home'],
    lineage: 'l',
    lineageKey: '0'.repeat(32),
    leaseSeconds: 5,
    provider: 'auto',
    basePointId: null,
  }
  assert.equal((await pair.agent.freeze(order, NEVER)).leaseSeconds, 5)
  // More than was asked for is nothing that a mover could count on; an agent that does not say grants what was asked.
  leaseSeconds = 6
  await assert.rejects(pair.agent.freeze(order, NEVER), { code: ErrorCode.ProtocolWrong })
  leaseSeconds = 0
  assert.equal(await pair.agent.renew({ groupId: 'g', leaseSeconds: 7 }, NEVER), 7)
  assert.equal((await all(pair.agent.extents(MAP, NEVER))).length, 1)
  const wrong: readonly ExtentsOfEpoch[] = [
    part([data(0, 7)], { imageSizeBytes: 7 * BLOCK }),
    part([{ kind: 'data', offset: 0, length: 8 * BLOCK, device: 1, physicalOffset: 0 }]),
    part([{ kind: 'data', offset: 0, length: 8 * BLOCK, device: 0, physicalOffset: 2 ** 40 + BLOCK }]),
  ]
  for (const answer of wrong) {
    map = answer
    await assert.rejects(all(pair.agent.extents(MAP, NEVER)), { code: ErrorCode.ProtocolWrong })
  }
})

test('identify() wants an answer, and none that contradicts itself', async () => {
  let answer: () => AsyncIterable<ExtentsOfEpoch> = nothing
  await using pair = await agentPair({ identify: () => answer() })
  const question = { ...MAP, epoch: 'e1' }
  await assert.rejects(all(pair.agent.identify(question, NEVER)), { code: ErrorCode.ProtocolWrong })
  answer = () => stream(part([data(0)]))
  await assert.rejects(all(pair.agent.identify(question, NEVER)), { message: /altered under the epoch/ })
  answer = () => stream(part([data(1)], { epoch: 'e2' }), part([data(1)], { epoch: 'e2' }))
  await assert.rejects(all(pair.agent.identify(question, NEVER)), { message: /not ascending/ })
  answer = () => stream(part([]))
  assert.deepEqual(await all(pair.agent.identify(question, NEVER)), [part([])])
  answer = () => stream(part([data(1), data(5)], { epoch: 'e2' }))
  assert.deepEqual(await all(pair.agent.identify(question, NEVER)), [
    part([data(1), data(5)], { epoch: 'e2' }),
  ])
})

test('delta() refuses ranges out of order, and passes on that changes are not known', async () => {
  let answer: AgentApi['delta'] = disordered
  await using pair = await agentPair({ delta: (...words) => answer(...words) })
  await assert.rejects(all(pair.agent.delta(DELTA, NEVER)), { code: ErrorCode.ProtocolWrong })
  answer = () => stream([{ offset: 4, length: 0 }])
  await assert.rejects(all(pair.agent.delta(DELTA, NEVER)), { code: ErrorCode.ProtocolWrong })
  answer = () => stream<Range[]>()
  assert.deepEqual(await all(pair.agent.delta(DELTA, NEVER)), [])
})

test('read() takes the bytes that were asked for, in order, and nothing else', async () => {
  const what = {
    imageId: 'i0',
    ranges: [
      { offset: 0, length: 10 },
      { offset: 20, length: 10 },
    ],
  }
  const wrong = [
    [zeros(0, 10)],
    [zeros(0, 10), zeros(20, 5)],
    [zeros(0, 10), zeros(10, 10)],
    [zeros(20, 10), zeros(0, 10)],
    [zeros(0, 5), zeros(0, 5)],
    [zeros(0, 11)],
    [zeros(0, 10), zeros(20, 10), zeros(30, 1)],
    [],
  ]
  let answer: readonly { offset: number; bytes: Uint8Array }[] = []
  await using pair = await agentPair({ read: () => stream(...answer) })
  for (const [index, pieces] of wrong.entries()) {
    answer = pieces
    const read = all(pair.agent.read(what, NEVER))
    await assert.rejects(read, { code: ErrorCode.ProtocolWrong }, `answer ${index}`)
  }
  answer = [zeros(0, 3), zeros(3, 7), zeros(20, 10)]
  assert.equal((await all(pair.agent.read(what, NEVER))).length, 3)
})

test('connectAgent() refuses messages that are too large or have too many entries, and answers that fit no question', async () => {
  const tiny = { byteOffset: 0n, sizeBytes: 1n, kind: ExtentKind.ZERO }
  let answer: Partial<GetExtentsResponse> = {}
  await using raw = await rawAgent({
    async *getExtents() {
      yield await Promise.resolve({ imageSizeBytes: 10n, epoch: 'e1', extents: [], ...answer })
    },
    getStatus: () => ({ version: '1', host: 'x'.repeat(5000), nowMs: 2n ** 60n }),
    challenge: () => ({ digests: [new Uint8Array(31)] }),
    freeze: () => ({ groupId: 'g', images: [] }),
    getSigningRequest: () => ({ request: new Uint8Array(100_000) }),
    listSources: () => ({ sources: Array.from({ length: 5000 }, () => ({ pattern: '/' })) }),
    getLoad: () => ({ readLatencyMs: Number.NaN }),
  })
  const { agent } = raw
  const wrong = { code: ErrorCode.ProtocolWrong }
  answer = { epoch: 'e'.repeat(3 * 1024 * 1024) }
  await assert.rejects(all(agent.extents(MAP, NEVER)), {
    ...wrong,
    message: /larger than configured readMaxBytes/,
  })
  const message = create(GetExtentsResponseSchema, { extents: Array.from({ length: 100_000 }, () => tiny) })
  assert(toBinary(GetExtentsResponseSchema, message).byteLength < 1024 * 1024)
  answer = { extents: message.extents }
  await assert.rejects(all(agent.extents(MAP, NEVER)), { ...wrong, message: /a message has \d+ fields/ })
  answer = { imageSizeBytes: 2n ** 60n }
  await assert.rejects(all(agent.extents(MAP, NEVER)), { ...wrong, message: /a number is more than/ })
  await assert.rejects(agent.status(NEVER), wrong)
  await assert.rejects(agent.listSources(NEVER), wrong)
  await assert.rejects(agent.load('i0', NEVER), wrong)
  await assert.rejects(agent.signingRequest(NEVER), wrong)
  const key = new Uint8Array(32)
  const question = { imageId: 'i0', key, ranges: [{ offset: 0, length: 1 }] }
  await assert.rejects(agent.challenge(question, NEVER), wrong)
  const order = {
    lineage: 'l',
    lineageKey: '0'.repeat(32),
    leaseSeconds: 5,
    provider: 'auto',
    basePointId: null,
  }
  await assert.rejects(agent.freeze({ ...order, sources: ['/dev/a'] }, NEVER), wrong)
  await assert.rejects(agent.release('g', NEVER), {
    code: ErrorCode.AgentRefused,
    message: /does not know this request/,
  })
})
