import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { Extent } from '../../domain/extent.ts'
import { decodeExtents } from '../../extents/decode.ts'
import type { AgentApi, ExtentsOfEpoch, ImageOfAgent } from '../../rpc/agent-api.ts'
import { AgentMap } from './agent-map.ts'

const MIB = 1024 * 1024
const SIZE = 8 * MIB
const { signal } = new AbortController()

const IMAGE: ImageOfAgent = {
  imageId: 'i',
  source: '/dev/vg0/home',
  provider: 'lvm',
  heldId: 'h',
  heldSource: 'vg0/home',
  sizeBytes: SIZE,
  sectorSizeBytes: 512,
  epoch: 'e-1',
  devices: [{ name: 'wwn:naa.1', sizeBytes: 64 * MIB, sectorSizeBytes: 512 }],
  base: 'none',
  windowMs: null,
}

const data = (offset: number, length: number, physicalOffset: number): Extent => {
  return { kind: 'data', offset, length, device: 0, physicalOffset }
}
const WHOLE = [data(0, SIZE, 16 * MIB)]

type Answers = {
  readonly extents?: readonly (readonly Extent[])[]
  readonly altered?: readonly Extent[]
  readonly facts?: Partial<ExtentsOfEpoch>
}

function agentOf({
  extents = [WHOLE],
  altered = [],
  facts = {},
}: Answers): Pick<AgentApi, 'extents' | 'identify'> {
  return {
    async *extents() {
      for (const batch of extents)
        yield await Promise.resolve({ imageSizeBytes: SIZE, epoch: 'e-1', extents: batch, ...facts })
    },
    async *identify({ epoch }) {
      const isNew = altered.length > 0 && epoch === 'e-1'
      yield await Promise.resolve({
        imageSizeBytes: SIZE,
        epoch: isNew ? 'e-2' : epoch,
        extents: isNew ? altered : [],
      })
    },
  }
}

async function received(answers: Answers): Promise<AgentMap> {
  return await AgentMap.receive({ agent: agentOf(answers), image: IMAGE, host: 'db1' }, signal)
}

const LIES: Readonly<Record<string, Answers>> = {
  'expected ascending ranges': { extents: [[data(0, 4 * MIB, 0), data(2 * MIB, 6 * MIB, 0)]] },
  'map is known up to 4194304': { extents: [[data(0, 4 * MIB, 0), data(5 * MIB, 3 * MIB, 0)]] },
  'it ends at 4194304, expected 8388608': { extents: [[data(0, 4 * MIB, 0)]] },
  'ends behind the image': { extents: [WHOLE, [data(SIZE, MIB, 0)]] },
  'bytes up to 75497472 of a disk of 67108864': { extents: [[data(0, SIZE, 64 * MIB)]] },
  'device 7 of 1': { extents: [[{ kind: 'data', offset: 0, length: SIZE, device: 7, physicalOffset: 0 }]] },
  'brings bytes of its own': {
    extents: [[{ kind: 'inline', offset: 0, length: SIZE, bytes: new Uint8Array(SIZE) }]],
  },
  'of an image of 4096 bytes, which had 8388608': { facts: { imageSizeBytes: 4096 } },
}

for (const [says, answers] of Object.entries(LIES)) {
  test(`AgentMap.receive() refuses a map: ${says}`, async () => {
    await assert.rejects(received(answers), (error) => {
      assert.ok(error instanceof BackupError)
      assert.equal(error.code, ErrorCode.ProtocolWrong)
      assert.match(error.message, /^Cannot take the map of "\/dev\/vg0\/home" from agent "db1": /)
      assert.ok(error.message.includes(says), error.message)
      return true
    })
  })
}

test('AgentMap.takeMoved() tells once what moved, also what was asked for before', async () => {
  const map = await received({ altered: [data(MIB, MIB, 40 * MIB), data(2 * MIB, MIB, 50 * MIB)] })
  assert.deepEqual(await map.identify(signal), [{ offset: MIB, length: 2 * MIB }])
  assert.deepEqual(await map.identify(signal), [])
  assert.deepEqual(await map.takeMoved(signal), [{ offset: MIB, length: 2 * MIB }])
  assert.deepEqual(await map.takeMoved(signal), [])
  const expected = [
    data(0, MIB, 16 * MIB),
    data(MIB, MIB, 40 * MIB),
    data(2 * MIB, MIB, 50 * MIB),
    data(3 * MIB, 5 * MIB, 19 * MIB),
  ]
  assert.deepEqual([...map.extentsIn({ offset: 0, length: SIZE })], expected)
  const encoded: Extent[] = []
  const bounds = { sizeBytes: SIZE, deviceCount: 1 }
  for await (const batch of decodeExtents([await map.encode()], bounds)) encoded.push(...batch)
  assert.deepEqual(encoded, expected)
})

test('AgentMap.identify() refuses an answer that lies elsewhere than on the disks, and keeps the map', async () => {
  const map = await received({ altered: [data(0, MIB, 63.5 * MIB)] })
  await assert.rejects(map.identify(signal), { code: ErrorCode.ProtocolWrong })
  assert.deepEqual([...map.extentsIn({ offset: 0, length: SIZE })], WHOLE)
})

test('AgentMap.receive() asks again for a map that moved while it was sent', async () => {
  let asked = 0
  const agent = agentOf({})
  const restless: typeof agent = {
    ...agent,
    async *extents(from, now) {
      asked += 1
      if (asked < 3) throw new BackupError(ErrorCode.MapMoved, 'it moved')
      yield* agent.extents(from, now)
    },
  }
  const map = await AgentMap.receive({ agent: restless, image: IMAGE, host: 'db1' }, signal)
  assert.deepEqual([map.extentCount, asked], [1, 3])
})

test('AgentMap.identify() drops an answer that moved while it came, and asks again, but not for ever', async () => {
  const agent = agentOf({ altered: [data(MIB, MIB, 40 * MIB)] })
  let asked = 0
  let movesUntil = 3
  const restless: typeof agent = {
    ...agent,
    async *identify(from, now) {
      asked += 1
      if (asked >= movesUntil) return yield* agent.identify(from, now)
      const extents = [data(0, MIB, 48 * MIB)]
      yield await Promise.resolve({ imageSizeBytes: SIZE, epoch: 'e-2', extents })
      throw new BackupError(ErrorCode.MapMoved, 'it moved')
    },
  }
  const map = await AgentMap.receive({ agent: restless, image: IMAGE, host: 'db1' }, signal)
  assert.deepEqual(await map.identify(signal), [{ offset: MIB, length: MIB }])
  assert.equal(asked, 3)
  assert.deepEqual(await map.takeMoved(signal), [{ offset: MIB, length: MIB }])
  const before = [...map.extentsIn({ offset: 0, length: SIZE })]
  movesUntil = Number.POSITIVE_INFINITY
  asked = 0
  await assert.rejects(map.identify(signal), { code: ErrorCode.MapMoved })
  assert.equal(asked, 5)
  assert.deepEqual([...map.extentsIn({ offset: 0, length: SIZE })], before)
})
