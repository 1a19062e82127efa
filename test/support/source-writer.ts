// A program that writes to files or devices as fast as it can: `node source-writer.ts SEED MODE PATH:SIZE…`. It tells its
// parent how many writes it has done, stands still between the messages `pause` and `go`, and begins again with another
// seed when it is told one.
import { constants, fsyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'

import type { Randomness } from '../../src/domain/randomness.ts'
import { allocateAligned } from '../../src/linux/aligned-memory.ts'
import { errnoOf } from '../../src/domain/errno.ts'
import { syscalls } from '../../src/linux/syscalls.ts'
import { seededRandomness } from './seeded-randomness.ts'

const BLOCK = 4096
const WRITES_PER_MESSAGE = 8

type Target = { readonly fd: number; readonly sizeBytes: number; readonly isFile: boolean }

const [seed = '', mode, ...places] = process.argv.slice(2)
let chance = seededRandomness(Number(seed))
const noise = Buffer.from(chance.bytes(1024 * 1024))
const direct = mode === 'count' ? constants.O_DIRECT : 0
const targets = places.map((place): Target => {
  const [path = '', size] = place.split(':')
  const fd = openSync(path, constants.O_RDWR | direct)
  return { fd, sizeBytes: Number(size), isFile: fstatSync(fd).isFile() }
})

let isPaused = false
process.on('message', (message) => {
  if (typeof message === 'number') chance = seededRandomness(message)
  else isPaused = message === 'pause'
  process.send?.(typeof message === 'number' ? `${message}` : message)
})
process.on('disconnect', () => process.exit(0))

const page = allocateAligned(BLOCK)
for (let count = 1; ;) {
  if (!isPaused) {
    for (let index = 0; index < WRITES_PER_MESSAGE; index += 1, count += 1) {
      if (mode === 'count') writeNumber(count)
      else writeSomething(pick(targets), chance)
    }
    process.send?.(count - 1)
  }
  await setImmediate()
}

/** The same number everywhere, one place after the other: an image of one moment has at most one step in it. */
function writeNumber(count: number): void {
  new DataView(page.buffer).setUint32(0, count, true)
  for (const target of targets) {
    writeSync(target.fd, page, 0, BLOCK, 0)
    writeSync(target.fd, page, 0, BLOCK, target.sizeBytes - BLOCK)
  }
}

function writeSomething(target: Target, randomness: Randomness): void {
  const below = (limit: number): number => randomness.below(limit)
  const kind = below(40)
  const length = 1 + below(below(4) === 0 ? 256 * 1024 : 3 * BLOCK)
  const offset = below(target.sizeBytes - length)
  const start = offset - (offset % BLOCK)
  const blocks = Math.ceil(length / BLOCK) * BLOCK
  if (kind < 14) write(target, start, Math.min(blocks, target.sizeBytes - start))
  else if (kind < 26) write(target, offset, length)
  else if (kind < 29) writeAgain(target, offset, length)
  else if (kind < 32) allocate(() => syscalls()?.punchHole(target.fd, { offset: start, length: blocks }))
  else if (kind < 34) allocate(() => syscalls()?.zeroRange(target.fd, { offset, length }))
  else if (kind < 37 && target.isFile) ftruncateSync(target.fd, 1 + below(target.sizeBytes))
  else if (kind === 39) fsyncSync(target.fd)
  else if (target.isFile)
    write(target, Math.min(fstatSync(target.fd).size, target.sizeBytes - length), length)
}

function write(target: Target, offset: number, length: number): void {
  writeSync(target.fd, noise, chance.below(noise.byteLength - length), length, offset)
}

/** The bytes that are there: they move, and do not change. */
function writeAgain(target: Target, offset: number, length: number): void {
  const bytes = Buffer.alloc(length)
  const count = readSync(target.fd, bytes, 0, length, offset)
  if (count > 0) writeSync(target.fd, bytes, 0, count, offset)
}

/** Not every device can. */
function allocate(change: () => void): void {
  try {
    change()
  } catch (error) {
    if (!['EOPNOTSUPP', 'ENOTSUP', 'EINVAL', 'ENOSPC'].includes(errnoOf(error) ?? '')) throw error
  }
}

function pick(all: readonly Target[]): Target {
  const target = all[chance.below(all.length)]
  if (target === undefined) throw new Error('there is nothing to write to')
  return target
}
