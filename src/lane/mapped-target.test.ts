import assert from 'node:assert/strict'
import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { mixedBytes } from '../../test/support/mixed-bytes.ts'
import { seededRandomness } from '../../test/support/seeded-randomness.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import type { Extent } from '../domain/extent.ts'
import { encodeShared } from '../extents/encode-shared.ts'
import { allocateAligned } from '../linux/aligned-memory.ts'
import { mappedTarget, type MappedTargetAddress } from './mapped-target.ts'
import type { TargetWriter } from './target-writer.ts'
import { monotonicMs, WriteGate } from './write-gate.ts'

const PIECE = 64 * 1024
const COUNT = 40

/** A target in pieces, in another order on two disks, that has every second piece of them. */
async function openScattered(
  files: readonly [string, string],
): Promise<Disposable & { writer: TargetWriter; gate: WriteGate; places: number[][] }> {
  const chance = seededRandomness(7)
  const places = Array.from({ length: COUNT }, (_, index) => [index % 2, Math.floor(index / 2) * 2 * PIECE])
  places.sort(() => chance.below(3) - 1)
  const extents = places.map(([device = 0, physicalOffset = 0], index): Extent => ({
    kind: 'data',
    offset: index * PIECE,
    length: PIECE,
    device,
    physicalOffset,
  }))
  const sizeBytes = COUNT * PIECE
  const gate = new WriteGate()
  const fds = files.map((file) => openSync(file, constants.O_RDWR))
  const address: MappedTargetAddress = {
    kind: 'mapped',
    sizeBytes,
    map: await encodeShared([extents], { sizeBytes, deviceCount: 2 }),
    devices: fds.map((fd, index) => ({ path: files[index] ?? '', fd, sizeBytes })),
    gate: gate.memory,
    sparse: true,
  }
  return {
    writer: mappedTarget(address, allocateAligned),
    gate,
    places,
    [Symbol.dispose]: () => fds.forEach(closeSync),
  }
}

test('mappedTarget() writes, zeroes and reads where the pieces lie, and nothing between them', async () => {
  using folder = temporaryFolder()
  const files = [folder.join('one'), folder.join('two')] as const
  const before = files.map((file) => mixedBytes(file, COUNT * PIECE))
  files.forEach((file, index) => writeFileSync(file, before[index] ?? ''))
  using target = await openScattered(files)
  target.gate.openUntil(monotonicMs() + 60_000)
  const { writer } = target
  const image = allocateAligned(30 * PIECE + 1000)
  image.set(mixedBytes('image', image.byteLength))
  await writer.write(image, 0)
  await writer.zero({ offset: 31 * PIECE + 4096, length: 3 * PIECE + 100 })
  const expected = Buffer.alloc(COUNT * PIECE)
  const present = target.places.map(([device = 0, at = 0]) => before[device]?.subarray(at, at + PIECE) ?? '')
  target.places.forEach((_, index) => expected.set(Buffer.from(present[index] ?? ''), index * PIECE))
  expected.set(image)
  expected.fill(0, 31 * PIECE + 4096, 34 * PIECE + 4196)
  const read = allocateAligned(COUNT * PIECE - 5)
  await writer.read(read, 0)
  assert.equal(Buffer.compare(read, expected.subarray(0, -5)), 0)
  for (const [device, file] of files.entries()) {
    const disk = Buffer.from(before[device] ?? '')
    for (const [index, [on, at = 0]] of target.places.entries()) {
      if (on === device) disk.set(expected.subarray(index * PIECE, (index + 1) * PIECE), at)
    }
    assert.equal(Buffer.compare(readFileSync(file), disk), 0, file)
  }
})

test('mappedTarget() writes nothing while its gate is shut, nor when it was given up', async () => {
  using folder = temporaryFolder()
  const files = [folder.join('one'), folder.join('two')] as const
  for (const file of files) writeFileSync(file, new Uint8Array(COUNT * PIECE))
  using target = await openScattered(files)
  const { gate, writer } = target
  const ones = allocateAligned(PIECE).fill(1)
  const isWritten = (): boolean => files.some((file) => readFileSync(file).includes(1))
  let isDone = false
  const writing = writer.write(ones, 0).then(() => (isDone = true))
  await sleep(100)
  assert.ok(!isDone && !isWritten())
  gate.openUntil(monotonicMs() + 60_000)
  await writing
  assert.ok(isWritten())

  gate.openUntil(monotonicMs() - 1)
  const late = assert.rejects(writer.write(ones, 2 * PIECE), { code: 'TARGET_CHANGED' })
  const lateZeros = assert.rejects(writer.zero({ offset: 0, length: PIECE }), { code: 'TARGET_CHANGED' })
  gate.giveUp()
  await gate.untilEmpty()
  await Promise.all([late, lateZeros])
  assert.ok(isWritten())
})

test('mappedTarget() refuses extents outside of their disk, or on one that may not be written', async () => {
  using folder = temporaryFolder()
  const file = folder.join('disk')
  writeFileSync(file, new Uint8Array(PIECE))
  const fd = openSync(file, constants.O_RDWR)
  const disk = { path: file, fd, sizeBytes: PIECE }
  try {
    for (const [device, physicalOffset] of [
      [0, PIECE - 4096],
      [0, 2 ** 50],
      [0, 512],
      [1, 0],
    ] as const) {
      const gate = new WriteGate()
      gate.openUntil(monotonicMs() + 60_000)
      const extent: Extent = { kind: 'data', offset: 0, length: 8192, device, physicalOffset }
      const map = await encodeShared([[extent]], { sizeBytes: 8192, deviceCount: 2 })
      const about = { kind: 'mapped', sizeBytes: 8192, map, gate: gate.memory, sparse: true } as const
      const writer = mappedTarget({ ...about, devices: [disk, null] }, allocateAligned)
      const refused = { code: 'TARGET_UNSUITABLE' }
      await assert.rejects(writer.write(allocateAligned(8192), 0), refused)
      await assert.rejects(writer.zero({ offset: 0, length: 8192 }), refused)
    }
    assert.ok(readFileSync(file).every((byte) => byte === 0))
  } finally {
    closeSync(fd)
  }
})
