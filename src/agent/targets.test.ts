import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { closeSync, constants, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { eventually } from '../../test/support/eventually.ts'
import { loopDevice } from '../../test/support/loop-device.ts'
import { mixedBytes } from '../../test/support/mixed-bytes.ts'
import { needsLoopDevices } from '../../test/support/requirements.ts'
import { runTool } from '../../test/support/run-tool.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { systemRandomness } from '../cli/system-randomness.ts'
import { hostLvm } from '../linux/lvm/lvm-tools.ts'
import type { PieceToWrite } from '../rpc/agent-api.ts'
import { Targets } from './targets.ts'

const MIB = 1024 * 1024
const skip = needsLoopDevices()
const { signal } = new AbortController()

function targetsFor(...allowed: readonly string[]): Targets {
  const mayRestore = (path: string): boolean => allowed.includes(path)
  return new Targets({ tools: hostLvm, randomness: systemRandomness, mayRestore })
}

function order(
  path: string,
  sizeBytesMin = 4 * MIB,
  leaseSeconds = 600,
): Parameters<Targets['openTarget']>[0] {
  return { path, sizeBytesMin, leaseSeconds }
}

// oxlint-disable-next-line typescript/require-await -- as it comes from the network
async function* stream(...pieces: readonly PieceToWrite[]): AsyncGenerator<PieceToWrite> {
  yield* pieces
}

/** True when somebody may open a device for himself alone. */
function isFree(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_RDWR | constants.O_EXCL))
    return true
  } catch {
    return false
  }
}

test('openTarget() opens only what the configuration allows', { skip }, async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.join('disk'), new Uint8Array(4 * MIB))
  using device = loopDevice(folder.join('disk'))
  await using targets = targetsFor(device.path)
  await assert.rejects(targets.openTarget(order('/dev/sda'), signal), {
    code: 'AGENT_REFUSED',
    message: /configuration does not allow/,
  })
  const target = await targets.openTarget(order(device.path), signal)
  assert.deepEqual(target, {
    targetId: target.targetId,
    sizeBytes: 4 * MIB,
    sectorSizeBytes: 512,
    epoch: 'unmapped',
    devices: [],
    leaseSeconds: 600, // A loop device is known to no other host.
  })
})

test(
  'openTarget() refuses what is too small, mounted, in use, no device, or open already',
  { skip },
  async () => {
    using folder = temporaryFolder()
    const path = folder.join('disk')
    writeFileSync(path, new Uint8Array(8 * MIB))
    runTool('mke2fs', ['-q', '-F', path])
    using device = loopDevice(path)
    await using targets = targetsFor(device.path, path, '/dev/icecore-none')
    await assert.rejects(targets.openTarget(order(device.path, 9 * MIB), signal), {
      code: 'TARGET_TOO_SMALL',
    })
    await assert.rejects(targets.openTarget(order(path), signal), { code: 'TARGET_MISSING' })
    await assert.rejects(targets.openTarget(order('/dev/icecore-none'), signal), { code: 'TARGET_MISSING' })
    mkdirSync(folder.join('mounted'))
    runTool('mount', ['-o', 'ro', device.path, folder.join('mounted')])
    try {
      await assert.rejects(targets.openTarget(order(device.path), signal), { code: 'TARGET_IN_USE' })
    } finally {
      runTool('umount', [folder.join('mounted')])
    }
    const { targetId } = await targets.openTarget(order(device.path), signal)
    await assert.rejects(targets.openTarget(order(device.path), signal), { code: 'TARGET_IN_USE' })
    assert.throws(
      () => runTool('mount', ['-o', 'ro', device.path, folder.join('mounted')]),
      /busy|already mounted/,
    )
    await targets.closeTarget(targetId)
    assert.ok(isFree(device.path))
    await assert.rejects(targets.closeTarget(targetId), { code: 'IMAGE_MISSING' })
  },
)

test('write() writes pieces where they say, and nothing outside of the target', { skip }, async () => {
  using folder = temporaryFolder()
  const path = folder.join('disk')
  writeFileSync(path, mixedBytes('before', 8 * MIB))
  using device = loopDevice(path)
  await using targets = targetsFor(device.path)
  const { targetId } = await targets.openTarget(order(device.path), signal)
  // Something on this host has looked at it before, and must not go on seeing that.
  readFileSync(device.path)
  const bytes = mixedBytes('after', MIB)
  const tail = bytes.subarray(0, 5000)
  const written = await targets.write(
    targetId,
    stream(
      { kind: 'data', offset: MIB, bytes },
      { kind: 'zero', offset: 3 * MIB, length: 2 * MIB },
      { kind: 'data', offset: 0, bytes: tail },
    ),
    signal,
  )
  assert.equal(written, 3 * MIB + 5000)
  const key = mixedBytes('key', 32)
  const ranges = [{ offset: MIB + 512, length: 4096 }]
  assert.deepEqual(
    (await targets.challenge({ imageId: targetId, key, ranges })).map((digest) => Buffer.from(digest)),
    [
      createHmac('sha256', key)
        .update(bytes.subarray(512, 512 + 4096))
        .digest(),
    ],
  )
  const read = await Array.fromAsync(targets.read({ imageId: targetId, ranges }, signal))
  assert.deepEqual(Buffer.concat(read.map((piece) => piece.bytes)), Buffer.from(bytes.subarray(512, 4608)))
  const wrong: readonly PieceToWrite[] = [
    { kind: 'data', offset: 8 * MIB - 4096, bytes: bytes.subarray(0, 8192) },
    { kind: 'data', offset: 8 * MIB, bytes: bytes.subarray(0, 4096) },
    { kind: 'data', offset: -4096, bytes: bytes.subarray(0, 4096) },
    { kind: 'data', offset: 100, bytes: bytes.subarray(0, 4096) },
    { kind: 'data', offset: 0, bytes: new Uint8Array(MIB + 4096) },
    { kind: 'zero', offset: 4096, length: 2 ** 50 },
  ]
  for (const piece of wrong) {
    await assert.rejects(targets.write(targetId, stream(piece), signal), { code: 'AGENT_REFUSED' })
  }
  await targets.closeTarget(targetId)
  const expected = mixedBytes('before', 8 * MIB)
  expected.set(bytes, MIB)
  expected.fill(0, 3 * MIB, 5 * MIB)
  expected.set(tail)
  assert.equal(Buffer.compare(readFileSync(device.path), expected), 0)
})

test('a target is let go of when its lease ends, or the agent does', { skip }, async () => {
  using folder = temporaryFolder()
  const path = folder.join('disk')
  writeFileSync(path, new Uint8Array(4 * MIB))
  using device = loopDevice(path)
  await using targets = targetsFor(device.path)
  const { targetId } = await targets.openTarget(order(device.path, MIB, 1), signal)
  const never = Promise.withResolvers<void>()
  const silent = (async function* silent(): AsyncGenerator<PieceToWrite> {
    yield { kind: 'data', offset: 0, bytes: new Uint8Array(4096).fill(1) }
    await never.promise
    yield { kind: 'data', offset: 0, bytes: new Uint8Array(4096).fill(2) }
  })()
  const writing = targets.write(targetId, silent, signal)
  assert.ok(!isFree(device.path))
  await eventually(() => isFree(device.path))
  never.resolve()
  await assert.rejects(writing, { code: 'AGENT_REFUSED' })
  assert.equal(readFileSync(device.path)[0], 1)
  assert.throws(() => targets.renew({ groupId: targetId, leaseSeconds: 60 }), { code: 'IMAGE_MISSING' })
  await targets.openTarget(order(device.path), signal)
  await targets[Symbol.asyncDispose]()
  assert.ok(isFree(device.path))
})
