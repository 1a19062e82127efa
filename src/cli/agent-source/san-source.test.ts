import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { mixedBytes } from '../../../test/support/mixed-bytes.ts'
import { scriptedAgent } from '../../../test/support/scripted-agent.ts'
import { seededRandomness } from '../../../test/support/seeded-randomness.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { ErrorCode } from '../../domain/backup-error.ts'
import type { Extent } from '../../domain/extent.ts'
import { openLocalSource } from '../../linux/local-source.ts'
import type { FrozenSource } from '../freeze/frozen-source.ts'
import type { AgentApi, ImageOfAgent } from '../../rpc/agent-api.ts'
import { AgentMap } from './agent-map.ts'
import { sanSource } from './san-source.ts'

const MIB = 1024 * 1024
const SIZE = 2 * MIB
const DISK = 8 * MIB
const { signal } = new AbortController()

/** An owner with an image in two pieces on a disk, one of which moves; and the mover's look at that disk. */
type Scene = AsyncDisposable & { readonly source: FrozenSource; readonly move: () => void }

async function openScene(how: { readonly disk: Uint8Array; readonly frozen: Uint8Array }): Promise<Scene> {
  const folder = temporaryFolder()
  const path = folder.join('disk')
  writeFileSync(path, how.disk)
  const local = await openLocalSource(path)
  let hasMoved = false
  const before: Extent[] = [
    { kind: 'data', offset: 0, length: MIB, device: 0, physicalOffset: 5 * MIB },
    { kind: 'data', offset: MIB, length: MIB, device: 0, physicalOffset: 2 * MIB },
  ]
  const after: Extent = { kind: 'data', offset: MIB, length: MIB, device: 0, physicalOffset: 6 * MIB }
  const script: Partial<AgentApi> = {
    async *extents() {
      yield await Promise.resolve({ imageSizeBytes: SIZE, epoch: '1', extents: before })
    },
    async *identify({ epoch }) {
      const isNew = hasMoved && epoch === '1'
      yield await Promise.resolve({
        imageSizeBytes: SIZE,
        epoch: hasMoved ? '2' : '1',
        extents: isNew ? [after] : [],
      })
    },
    challenge: ({ key, ranges }) =>
      Promise.resolve(
        ranges.map(({ offset, length }) =>
          createHmac('sha256', key)
            .update(how.frozen.subarray(offset, offset + length))
            .digest(),
        ),
      ),
  }
  const agent = scriptedAgent(script)
  const identity = { name: 'wwn:naa.1', sizeBytes: DISK, sectorSizeBytes: 512 }
  const image: ImageOfAgent = {
    imageId: 'i',
    source: '/dev/vg0/home',
    provider: 'lvm',
    heldId: 'h',
    heldSource: 'vg0/home',
    sizeBytes: SIZE,
    sectorSizeBytes: 512,
    epoch: '1',
    devices: [identity],
    base: 'none',
    windowMs: 1.5,
  }
  const map = await AgentMap.receive({ agent, image, host: 'db1' }, signal)
  const disks = [{ ...local, identity, isMultipath: false, deviceNumber: '8:0' }]
  const randomness = seededRandomness(3)
  const source = await sanSource({ agent, image, host: 'db1', signal, map, disks, randomness })
  return {
    source,
    move: () => {
      hasMoved = true
      const bytes = Buffer.from(how.disk)
      bytes.set(how.frozen.subarray(MIB), 6 * MIB)
      bytes.fill(0xee, 2 * MIB, 3 * MIB) // What was there is somebody else's now.
      writeFileSync(path, bytes)
    },
    async [Symbol.asyncDispose]() {
      await local[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

function diskOf(frozen: Uint8Array): Uint8Array {
  const disk = new Uint8Array(DISK).fill(0x11)
  disk.set(frozen.subarray(0, MIB), 5 * MIB)
  disk.set(frozen.subarray(MIB), 2 * MIB)
  return disk
}

const frozen = mixedBytes('frozen', SIZE)

test('sanSource() reads the image where its agent says that it lies', async () => {
  await using scene = await openScene({ disk: diskOf(frozen), frozen })
  const bytes = new Uint8Array(SIZE)
  await scene.source.image().readInto(bytes, 0)
  assert.deepEqual(Buffer.from(bytes), Buffer.from(frozen))
  assert.ok(((await scene.source.frozen.challenge?.(signal)) ?? 0) > 32)
  assert.deepEqual(scene.source.frozen.record.agentHost, 'db1')
})

test('sanSource() knows that what was looked at has moved, and then reads it where it lies', async () => {
  await using scene = await openScene({ disk: diskOf(frozen), frozen })
  const { frozen: part } = scene.source
  const bytes = new Uint8Array(4096)
  const image = scene.source.image()
  await image.readInto(bytes, 0)
  scene.move()
  assert.equal(await part.isLookedRight?.(signal), true, 'the other half moved')
  await image.readInto(bytes, MIB)
  assert.deepEqual(Buffer.from(bytes), Buffer.from(frozen.subarray(MIB, MIB + 4096)))
  assert.equal(await part.isLookedRight?.(signal), true)
  assert.deepEqual(await part.moved(signal), [{ offset: MIB, length: MIB }])
})

test('sanSource() sees that it looked where the bytes lie no more', async () => {
  await using scene = await openScene({ disk: diskOf(frozen), frozen })
  const bytes = new Uint8Array(4096)
  await scene.source.image().readInto(bytes, MIB)
  scene.move()
  assert.equal(await scene.source.frozen.isLookedRight?.(signal), false)
})

test('sanSource() passes the challenge though the image moves meanwhile', async () => {
  await using scene = await openScene({ disk: diskOf(frozen), frozen })
  scene.move()
  assert.ok(((await scene.source.frozen.challenge?.(signal)) ?? 0) > 32)
})

test('sanSource() remembers of what it looked at that it had moved when the challenge heard so first', async () => {
  await using scene = await openScene({ disk: diskOf(frozen), frozen })
  const bytes = new Uint8Array(4096)
  await scene.source.image().readInto(bytes, MIB)
  scene.move()
  assert.ok(((await scene.source.frozen.challenge?.(signal)) ?? 0) > 32)
  assert.equal(await scene.source.frozen.isLookedRight?.(signal), false)
  assert.deepEqual(await scene.source.frozen.moved(signal), [{ offset: MIB, length: MIB }])
})

test('sanSource() fails the challenge on a disk that is another one', async () => {
  await using scene = await openScene({ disk: new Uint8Array(DISK).fill(0x11), frozen })
  await assert.rejects(async () => await scene.source.frozen.challenge?.(signal), {
    code: ErrorCode.ChallengeFailed,
    message: /"db1:\/dev\/vg0\/home".*\(wwn:naa\.1\) at offset \d+/,
  })
})
