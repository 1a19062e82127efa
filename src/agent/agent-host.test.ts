import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { test } from 'node:test'
import { cloningFileSystem, needsCloning } from '../../test/support/cloning-file-system.ts'
import { mixedBytes } from '../../test/support/mixed-bytes.ts'
import { systemRandomness } from '../cli/system-randomness.ts'
import { systemClock } from '../domain/clock.ts'
import type { Range } from '../domain/range.ts'
import { heldImages } from '../host/held-images.ts'
import { hostLvm } from '../linux/lvm/lvm-tools.ts'
import type { AgentApi, FreezeOrder } from '../rpc/agent-api.ts'
import { agentHost } from './agent-host.ts'
import type { AgentConfiguration } from './agent-configuration.ts'
import { Targets } from './targets.ts'

const MIB = 1024 * 1024
const skip = needsCloning('xfs')
const { signal } = new AbortController()
const POINT = 'ab'.repeat(32)

function configuration(
  patterns: readonly string[],
  limits: Partial<AgentConfiguration['limits']> = {},
): AgentConfiguration {
  return {
    listen: { host: '127.0.0.1', port: 0 },
    sources: patterns.map((pattern) => ({ pattern, mayRestore: false })),
    hookSets: [],
    freezeDeadlineMs: 10_000,
    limits: { groups: 2, leaseSeconds: 600, streams: 4, ...limits },
  }
}

type TestAgent = AgentApi & AsyncDisposable & { readonly notices: readonly string[] }

function agentFor(read: () => AgentConfiguration): TestAgent {
  const notices: string[] = []
  const parts = {
    clock: systemClock,
    randomness: systemRandomness,
    version: '1.2.3',
    watchdogLog: '/dev/null',
  }
  const host = agentHost({
    ...parts,
    configuration: read,
    notice: (message) => notices.push(message),
    beforeChange: () => {},
    targets: new Targets({ tools: hostLvm, randomness: systemRandomness, mayRestore: () => false }),
    certificates: {
      endsAtMs: () => 1,
      signingRequest: () => Promise.resolve(new Uint8Array()),
      installCertificate: () => Promise.resolve(),
    },
  })
  return Object.assign(host, { notices })
}

function orderOf(sources: readonly string[], more: Partial<FreezeOrder> = {}): FreezeOrder {
  const lineageKey = systemRandomness.bytes(16).toHex()
  return {
    sources,
    lineage: 'test',
    lineageKey,
    leaseSeconds: 60,
    provider: 'auto',
    basePointId: null,
    ...more,
  }
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

async function bytesOf(agent: AgentApi, imageId: string, ranges: readonly Range[]): Promise<Buffer> {
  return Buffer.concat((await all(agent.read({ imageId, ranges }, signal))).map(({ bytes }) => bytes))
}

function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, offset)
  closeSync(file)
}

test('agentHost() freezes, tells, reads, keeps and tells what changed', { skip }, async () => {
  using mounted = cloningFileSystem('xfs')
  const path = mounted.join('disk.img')
  const before = mixedBytes('disk', 5 * MIB)
  writeFileSync(path, before)
  await using agent = agentFor(() => configuration([mounted.join('*.img')]))
  const order = orderOf([path], { basePointId: POINT })

  const first = await agent.freeze(order, signal)
  const [image] = first.images
  assert.ok(image)
  assert.deepEqual(
    [image.source, image.provider, image.sizeBytes, image.base, image.devices],
    [path, 'reflink', 5 * MIB, 'lost', []],
  )
  overwrite(path, MIB, mixedBytes('later', MIB))

  const whole = { imageId: image.imageId, startingOffset: 0 }
  const map = await all(agent.extents(whole, signal))
  assert.ok(map.every(({ epoch, imageSizeBytes }) => epoch === image.epoch && imageSizeBytes === 5 * MIB))
  const lengths = map.flatMap(({ extents }) => extents.map(({ length }) => length))
  assert.equal(
    lengths.reduce((sum, length) => sum + length, 0),
    5 * MIB,
  )
  assert.deepEqual(await all(agent.extents({ ...whole, startingOffset: 5 * MIB }, signal)), [])
  const rest = await all(agent.extents({ ...whole, startingOffset: 3 * MIB }, signal))
  assert.equal(rest[0]?.extents[0]?.offset, 3 * MIB)

  assert.deepEqual(await bytesOf(agent, image.imageId, [{ offset: 0, length: 5 * MIB }]), Buffer.from(before))
  const some = [
    { offset: 700, length: 3 },
    { offset: 2 * MIB - 1, length: MIB + 2 },
  ]
  const wanted = some.map(({ offset, length }) => before.subarray(offset, offset + length))
  assert.deepEqual(await bytesOf(agent, image.imageId, some), Buffer.concat(wanted))
  const key = systemRandomness.bytes(32)
  const digests = await agent.challenge(
    { imageId: image.imageId, key, ranges: [{ offset: 512, length: 4096 }] },
    signal,
  )
  assert.deepEqual(
    digests.map((digest) => Buffer.from(digest)),
    [createHmac('sha256', key).update(before.subarray(512, 4608)).digest()],
  )
  assert.deepEqual(await all(agent.identify({ ...whole, epoch: image.epoch }, signal)), [
    { imageSizeBytes: 5 * MIB, epoch: image.epoch, extents: [] },
  ])
  assert.equal(typeof (await agent.load(image.imageId, signal)).inFlight, 'number')

  await agent.keep({ groupId: first.groupId, pointId: POINT }, signal)
  await agent.release(first.groupId, signal)
  await agent.release(first.groupId, signal)
  const held = (await agent.status(signal)).held.filter(({ source }) => source === path)
  assert.deepEqual(
    held.map(({ basePointId }) => basePointId),
    [POINT],
  )

  const second = await agent.freeze(order, signal)
  const [next] = second.images
  assert.equal(next?.base, 'held')
  const delta = await all(
    agent.delta({ imageId: next.imageId, startingOffset: 0, basePointId: POINT }, signal),
  )
  assert.deepEqual(delta.flat(), [{ offset: MIB, length: MIB }])
  const half = { imageId: next.imageId, startingOffset: MIB + MIB / 2, basePointId: POINT }
  assert.deepEqual((await all(agent.delta(half, signal))).flat(), [
    { offset: MIB + MIB / 2, length: MIB / 2 },
  ])
  await assert.rejects(all(agent.delta({ ...half, basePointId: 'cd'.repeat(32) }, signal)), {
    code: 'CHANGES_UNKNOWN',
  })
})

test('agentHost() gives up what a mover no longer asks for, and waits for that', { skip }, async () => {
  using mounted = cloningFileSystem('xfs')
  const path = mounted.join('disk.img')
  writeFileSync(path, new Uint8Array(MIB).fill(1))
  await using agent = agentFor(() => configuration([path]))
  const dead = await agent.freeze(orderOf([path], { leaseSeconds: 1 }), signal)
  // The next run waits for the lease of one that is dead.
  const next = await agent.freeze(orderOf([path]), signal)
  assert.match(agent.notices.join(), /Nothing was heard for 1 s of the mover of .*disk.img/)
  const [image] = dead.images
  assert.ok(image)
  // It was only stopped, and goes on: whatever it asks for, it hears that there is nothing any more.
  const { imageId, epoch } = image
  const whole = { imageId, startingOffset: 0 }
  const ranges = [{ offset: 0, length: 1 }]
  const gone = { code: 'IMAGE_MISSING', message: /^Cannot find frozen image ".*its lease ended/ }
  const questions: Readonly<Record<string, () => Promise<unknown>>> = {
    renew: () => agent.renew({ groupId: dead.groupId, leaseSeconds: 60 }, signal),
    extents: () => all(agent.extents(whole, signal)),
    identify: () => all(agent.identify({ ...whole, epoch }, signal)),
    delta: () => all(agent.delta({ ...whole, basePointId: POINT }, signal)),
    read: () => bytesOf(agent, imageId, ranges),
    challenge: () => agent.challenge({ imageId, key: new Uint8Array(32), ranges }, signal),
    load: () => agent.load(imageId, signal),
    keep: () => agent.keep({ groupId: dead.groupId, pointId: POINT }, signal),
  }
  for (const [name, ask] of Object.entries(questions)) await assert.rejects(ask(), gone, name)
  await agent.release(dead.groupId, signal)
  // One that is renewed is alive.
  await agent.renew({ groupId: next.groupId, leaseSeconds: 600 }, signal)
  await assert.rejects(agent.freeze(orderOf([path]), signal), {
    code: 'AGENT_REFUSED',
    message: /another run holds a frozen image of ".*disk.img"/,
  })
  await agent.release(next.groupId, signal)
  assert.equal((await agent.status(signal)).held.filter(({ source }) => source === path).length, 0)
})

test('agentHost() grants no longer lease than it may, and refuses nobody for that', { skip }, async () => {
  using mounted = cloningFileSystem('xfs')
  const path = mounted.join('disk.img')
  writeFileSync(path, new Uint8Array(MIB).fill(1))
  let leaseSeconds = 100
  await using agent = agentFor(() => configuration([path], { leaseSeconds }))
  const { groupId, ...frozen } = await agent.freeze(orderOf([path], { leaseSeconds: 300 }), signal)
  assert.equal(frozen.leaseSeconds, 100)
  assert.equal(await agent.renew({ groupId, leaseSeconds: 60 }, signal), 60)
  leaseSeconds = 30
  assert.equal(await agent.renew({ groupId, leaseSeconds: 60 }, signal), 30)
})

test('agentHost() holds no more groups, and sends no more at once, than it may', { skip }, async () => {
  using mounted = cloningFileSystem('xfs')
  const paths = ['a', 'b', 'c'].map((name) => mounted.join(`${name}.img`))
  for (const path of paths) writeFileSync(path, new Uint8Array(4 * MIB).fill(1))
  await using agent = agentFor(() => configuration(paths, { groups: 2, streams: 1, leaseSeconds: 100 }))
  const [a = '', b = '', c = ''] = paths
  const [frozen] = await Promise.all([agent.freeze(orderOf([a]), signal), agent.freeze(orderOf([b]), signal)])
  await assert.rejects(agent.freeze(orderOf([c]), signal), {
    code: 'AGENT_REFUSED',
    message: /holds 2 groups/,
  })
  const [image] = frozen.images
  assert.ok(image)
  const { imageId } = image
  const reading = agent.read({ imageId, ranges: [{ offset: 0, length: 4 * MIB }] }, signal)
  const open = reading[Symbol.asyncIterator]()
  assert.equal((await open.next()).value?.bytes.byteLength, MIB)
  await assert.rejects(all(agent.extents({ imageId, startingOffset: 0 }, signal)), {
    code: 'AGENT_REFUSED',
    message: /sends 1 maps/,
  })
  // A mover that goes away in the middle leaves room for the next.
  await open.return?.()
  assert.equal((await bytesOf(agent, imageId, [{ offset: 5, length: 10 }])).byteLength, 10)
  await agent.release(frozen.groupId, signal)
  await agent.freeze(orderOf([c]), signal)
})

test('agentHost() refuses what cannot be meant', { skip }, async () => {
  using mounted = cloningFileSystem('xfs')
  const path = mounted.join('disk.img')
  writeFileSync(path, new Uint8Array(MIB).fill(1))
  await using agent = agentFor(() => configuration([path]))
  const orders: readonly Partial<FreezeOrder>[] = [
    { sources: [] },
    { sources: [path, path] },
    { sources: Array.from({ length: 65 }, (_, at) => `/dev/vg0/${at}`) },
    { lineageKey: 'AB'.repeat(16) },
    { lineage: 'a\0b' },
    { leaseSeconds: 0 },
    { leaseSeconds: 1.5 },
    { basePointId: 'ab' },
    { provider: 'nbd' },
    { provider: '__proto__' },
  ]
  for (const order of orders) {
    await assert.rejects(
      agent.freeze(orderOf([path], order), signal),
      { code: 'USAGE_WRONG' },
      JSON.stringify(order),
    )
  }
  const { images, groupId } = await agent.freeze(orderOf([path]), signal)
  const [image] = images
  assert.ok(image)
  const { imageId } = image
  const wrong: readonly (readonly Range[])[] = [
    [{ offset: 0, length: 0 }],
    [{ offset: -1, length: 1 }],
    [{ offset: MIB, length: 1 }],
    [{ offset: 1, length: MIB }],
    [{ offset: 2 ** 53, length: 1 }],
    [{ offset: 0.5, length: 1 }],
    [
      { offset: 8, length: 8 },
      { offset: 0, length: 8 },
    ],
    [
      { offset: 0, length: 8 },
      { offset: 7, length: 8 },
    ],
  ]
  for (const ranges of wrong) {
    await assert.rejects(bytesOf(agent, imageId, ranges), { code: 'USAGE_WRONG' }, JSON.stringify(ranges))
  }
  const key = new Uint8Array(32)
  for (const ranges of wrong.slice(0, 6)) {
    await assert.rejects(agent.challenge({ imageId, key, ranges }, signal), { code: 'USAGE_WRONG' })
  }
  const short = { imageId, key: key.subarray(0, 8), ranges: [] }
  await assert.rejects(agent.challenge(short, signal), { code: 'USAGE_WRONG' })
  for (const startingOffset of [MIB + 1, 2 ** 53]) {
    await assert.rejects(all(agent.extents({ imageId, startingOffset }, signal)), { code: 'USAGE_WRONG' })
  }
  const foreign = { imageId, startingOffset: 0, epoch: 'another-1' }
  await assert.rejects(all(agent.identify(foreign, signal)), { code: 'USAGE_WRONG' })
  await assert.rejects(agent.keep({ groupId, pointId: 'x' }, signal), { code: 'USAGE_WRONG' })
  await assert.rejects(agent.load('nobody', signal), { code: 'IMAGE_MISSING' })
})

test('agentHost() says that an image is lost which somebody removed', { skip }, async () => {
  using mounted = cloningFileSystem('xfs')
  const path = mounted.join('disk.img')
  writeFileSync(path, new Uint8Array(MIB).fill(1))
  await using agent = agentFor(() => configuration([path]))
  const { images } = await agent.freeze(orderOf([path]), signal)
  const [image] = images
  assert.ok(image)
  const held = await heldImages({ clock: systemClock, randomness: systemRandomness }, signal)
  for (const { image: one, provider } of held) if (one.source === path) await provider.release(one, signal)
  const whole = { imageId: image.imageId, startingOffset: 0, epoch: image.epoch }
  await assert.rejects(all(agent.identify(whole, signal)), { code: 'IMAGE_LOST' })
})
