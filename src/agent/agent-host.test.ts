import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { test } from 'node:test'
import { cloningFileSystem, needsCloning } from '../../test/support/cloning-file-system.ts'
import { mixedBytes } from '../../test/support/mixed-bytes.ts'
import { systemRandomness } from '../cli/system-randomness.ts'
import { systemClock } from '../domain/clock.ts'
import type { Range } from '../domain/range.ts'
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
