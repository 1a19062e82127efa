import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { agentPair, all, NEVER } from '../../test/support/agent-pair.ts'
import { eventually } from '../../test/support/eventually.ts'
import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { Extent } from '../domain/extent.ts'
import type { ExtentsOfEpoch, StreamFrom } from './agent-api.ts'

const BLOCK = 4096
const COUNT = 40_000
const SIZE = COUNT * BLOCK
const MAP: StreamFrom = { imageId: 'i0', startingOffset: 0 }

/** All extents of one block each from an offset on, in batches of 1000. */
async function* mapFrom(from: number, epoch: string, step = 1): AsyncGenerator<ExtentsOfEpoch> {
  for (let index = from / BLOCK; index < COUNT; index += 1000 * step) {
    const extents: Extent[] = []
    for (let next = index; next < Math.min(COUNT, index + 1000 * step); next += step) {
      extents.push({
        kind: 'data',
        offset: next * BLOCK,
        length: BLOCK,
        device: 0,
        physicalOffset: next * BLOCK,
      })
    }
    yield { imageSizeBytes: SIZE, epoch, extents }
    await sleep(0)
  }
}

test('extents() goes on where it was cut off, and receives nothing twice', async () => {
  const starts: number[] = []
  await using pair = await agentPair({
    extents: ({ startingOffset }) => {
      starts.push(startingOffset)
      return mapFrom(startingOffset, 'e1')
    },
  })
  pair.proxy.breakAfter = [200_000, 100_000, 300_000]
  const parts = await all(pair.agent.extents(MAP, NEVER))
  const offsets = parts.flatMap(({ extents }) => extents.map(({ offset }) => offset))
  assert.equal(offsets.length, COUNT)
  assert(offsets.every((offset, index) => offset === index * BLOCK))
  assert.equal(pair.proxy.brokenCount, 3)
  assert.equal(starts.length, 4)
  assert(starts.every((start, index) => index === 0 || start > (starts[index - 1] ?? 0)))
})

test('extents() never mixes two epochs', async () => {
  let epoch = 0
  await using pair = await agentPair({
    extents: ({ startingOffset }) => {
      epoch += 1
      return mapFrom(startingOffset, `e${epoch}`)
    },
  })
  pair.proxy.breakAfter = [200_000]
  const epochs = new Set<string>()
  await assert.rejects(
    async () => {
      for await (const part of pair.agent.extents(MAP, NEVER)) epochs.add(part.epoch)
    },
    { code: ErrorCode.MapMoved },
  )
  assert.deepEqual([...epochs], ['e1'])
  // Who asks again gets all of the new one.
  const parts = await all(pair.agent.extents(MAP, NEVER))
  assert.equal(parts.flatMap(({ extents }) => extents).length, COUNT)
})

test('identify() and delta() go on where they were cut off', async () => {
  const starts: number[] = []
  await using pair = await agentPair({
    identify: ({ startingOffset, epoch }) => {
      assert.equal(epoch, 'e1')
      starts.push(startingOffset)
      return mapFrom(startingOffset === 0 ? 0 : startingOffset + BLOCK, 'e2', 2)
    },
    async *delta({ startingOffset }) {
      starts.push(startingOffset)
      const begin = startingOffset === 0 ? 0 : startingOffset + BLOCK
      for await (const { extents } of mapFrom(begin, 'e1', 2)) yield extents
    },
  })
  pair.proxy.breakAfter = [150_000, 100_000]
  const altered = await all(pair.agent.identify({ ...MAP, epoch: 'e1' }, NEVER))
  const offsets = altered.flatMap(({ extents }) => extents.map(({ offset }) => offset / BLOCK))
  assert.deepEqual(
    offsets,
    Array.from({ length: COUNT / 2 }, (_, index) => index * 2),
  )
  assert.equal(starts.length, 3)
  // A connection that was made whole lives on: the next call finds it broken, and that somebody has been there.
  pair.proxy.breakAll()
  pair.proxy.breakAfter = [100_000]
  const delta = await all(pair.agent.delta({ ...MAP, basePointId: 'p' }, NEVER))
  assert.deepEqual(
    delta.flat().map(({ offset }) => offset / BLOCK),
    offsets,
  )
  assert.equal(starts.length, 5)
})

test('read() goes on in the middle of a range', async () => {
  const asked: number[] = []
  await using pair = await agentPair({
    async *read({ ranges }) {
      asked.push(ranges.reduce((sum, { length }) => sum + length, 0))
      for (const { offset, length } of ranges) {
        for (let at = 0; at < length; at += 50_000) {
          yield {
            offset: offset + at,
            bytes: new Uint8Array(Math.min(50_000, length - at)).fill((offset + at) % 251),
          }
          await sleep(0)
        }
      }
    },
  })
  const ranges = [
    { offset: 0, length: 400_000 },
    { offset: 500_000, length: 1 },
    { offset: 600_000, length: 1_400_000 },
  ]
  pair.proxy.breakAfter = [300_000, 500_000]
  const pieces = await all(pair.agent.read({ imageId: 'i0', ranges }, NEVER))
  let total = 0
  for (const { bytes } of pieces) total += bytes.byteLength
  assert.equal(total, 1_800_001)
  const ends = new Set(pieces.map(({ offset, bytes }) => offset + bytes.byteLength))
  // Each begins where another one has ended, or a range begins.
  assert(pieces.every(({ offset }) => ends.has(offset) || ranges.some((range) => range.offset === offset)))
  assert.equal(asked.length, 3)
  assert.equal(asked[0], 1_800_001)
  assert((asked[2] ?? 0) < (asked[1] ?? 0))
})

test('read() goes on after an agent that was killed in the middle of a message', async () => {
  let asked = 0
  const length = 300_000
  await using pair = await agentPair({
    async *read({ ranges }) {
      asked += 1
      for (const { offset, length: left } of ranges)
        yield await Promise.resolve({ offset, bytes: new Uint8Array(left).fill(7) })
    },
  })
  const ranges = Array.from({ length: 8 }, (_, index) => ({ offset: index * length, length }))
  pair.proxy.breaksByEnd = true
  pair.proxy.breakAfter = [1_000_000]
  const pieces = await all(pair.agent.read({ imageId: 'i0', ranges }, NEVER))
  assert.deepEqual(
    pieces.map(({ offset, bytes }) => ({ offset, length: bytes.byteLength })),
    ranges,
  )
  assert.equal(asked, 2)
})

test('a stream is not taken up again for ever, and not after an answer of the agent', async () => {
  let count = 0
  await using pair = await agentPair(
    {
      listSources: () => Promise.resolve([]),
      async *extents({ startingOffset }) {
        count += 1
        yield* mapFrom(startingOffset, 'e1')
      },
      async *delta() {
        yield [{ offset: 0, length: 1 }]
        await sleep(0)
        count += 1
        throw new BackupError(ErrorCode.ImageLost, 'Cannot tell what changed: the snapshot overflowed')
      },
    },
    { outageMs: 200, connectMs: 100 },
  )
  pair.proxy.breakAfter = [100_000, ...Array<number>(1000).fill(0)]
  await assert.rejects(all(pair.agent.extents(MAP, NEVER)), {
    code: ErrorCode.ConnectionFailed,
    message: /was tried again for 0.2 s$/,
  })
  assert.equal(count, 1)
  pair.proxy.breakAfter = []
  await eventually(async () => await isDone(pair.agent.listSources(NEVER)))
  await assert.rejects(all(pair.agent.delta({ ...MAP, basePointId: 'p' }, NEVER)), {
    code: ErrorCode.ImageLost,
  })
  assert.equal(count, 2)
})

async function isDone(call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return true
  } catch (error) {
    if (isBackupError(error, ErrorCode.ConnectionFailed)) return false
    throw error
  }
}

test('what one call waited for in vain, the others do not wait for again', async () => {
  const released: string[] = []
  await using pair = await agentPair(
    {
      listSources: () => Promise.resolve([]),
      release: (groupId) => {
        released.push(groupId)
        return Promise.resolve()
      },
    },
    { pingIntervalMs: 20, pingTimeoutMs: 60, connectMs: 30_000, outageMs: 300, lastAttemptMs: 500 },
  )
  const { agent, proxy } = pair
  await agent.listSources(NEVER)
  // The network is cut in the middle: nothing comes through any more, and nobody says so.
  proxy.isSilent = true
  const read = { imageId: 'i0', ranges: [{ offset: 0, length: 1 }] }
  const gone = { code: ErrorCode.ConnectionFailed, message: /was tried again for 0.3 s$/ }
  await assert.rejects(all(agent.read(read, NEVER)), gone)
  const { connectionCount } = proxy
  // As the reads that a lane has under way, and those that it begins only then.
  await Promise.all(Array.from({ length: 20 }, () => assert.rejects(all(agent.read(read, NEVER)), gone)))
  for (let more = 0; more < 20; more += 1) await assert.rejects(agent.load('i0', NEVER), gone)
  assert.equal(proxy.connectionCount, connectionCount)
  // What tidies up tries once.
  await assert.rejects(agent.release('g1', NEVER), { code: ErrorCode.ConnectionFailed })
  assert.equal(proxy.connectionCount, connectionCount + 1)
  proxy.isSilent = false
  await eventually(async () => await isDone(agent.release('g1', NEVER)))
  assert.deepEqual(released, ['g1'])
  // It answered: what anybody asks is asked again.
  assert.deepEqual(await agent.listSources(NEVER), [])
})

test('release() tries once more when only then it turns out that the connection is gone', async () => {
  const released: string[] = []
  const breaking = Promise.withResolvers<() => void>()
  await using pair = await agentPair({
    release: async (groupId) => {
      released.push(groupId)
      const breakAll = await breaking.promise
      if (released.length === 2) breakAll()
    },
  })
  breaking.resolve(() => pair.proxy.breakAll())
  for (const group of ['g1', 'g2']) await pair.agent.release(group, NEVER)
  assert.deepEqual(released, ['g1', 'g2', 'g2'])
})

test('a call that may be repeated is, once somebody has been there', async () => {
  const calls: string[] = []
  await using pair = await agentPair({
    renew: () => {
      calls.push('renew')
      return Promise.resolve(5)
    },
    keep: () => {
      calls.push('keep')
      return Promise.resolve()
    },
  })
  const lease = { groupId: 'g1', leaseSeconds: 5 }
  await pair.agent.renew(lease, NEVER)
  pair.proxy.breakAll()
  pair.proxy.breakAfter = [0, 0]
  await pair.agent.renew(lease, NEVER)
  assert.deepEqual(calls, ['renew', 'renew'])
  pair.proxy.breakAll()
  pair.proxy.breakAfter = [0]
  await assert.rejects(pair.agent.keep({ groupId: 'g1', pointId: 'ab'.repeat(32) }, NEVER), {
    code: ErrorCode.ConnectionFailed,
  })
  assert.deepEqual(calls, ['renew', 'renew'])
})

test('a stream that never began fails at once', async () => {
  await using pair = await agentPair({})
  pair.proxy.breakAfter = [0, 0, 0]
  await assert.rejects(all(pair.agent.extents(MAP, NEVER)), { code: ErrorCode.ConnectionFailed })
  assert.equal(pair.proxy.connectionCount, 1)
})
