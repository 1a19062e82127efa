// Runs in a guest: writes as fast as it can. See ../write-load.ts.
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { setImmediate, setTimeout } from 'node:timers/promises'

import { allocateAligned } from '../../../src/linux/aligned-memory.ts'
import { seededRandomness } from '../../support/seeded-randomness.ts'
import type { WriteLoadOptions } from '../write-load.ts'

/** Between two looks at whether it is to stop. */
const WRITES_AT_ONCE = 16

type Target = { readonly file: number; readonly blockCount: number }

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- ../write-load.ts wrote it
const options = JSON.parse(process.argv[2] ?? '') as WriteLoadOptions
const { paths, seed, spanBytes, blockBytes = 16 * 1024, pauseMs } = options
const randomness = seededRandomness(seed)
const block = Buffer.from(allocateAligned(blockBytes).buffer, 0, blockBytes)
const targets = paths.map(openTarget)

const stop = new AbortController()
let writeCount = 0
process.on('SIGTERM', () => stop.abort())

while (!stop.signal.aborted) {
  for (let write = 0; write < WRITES_AT_ONCE; write += 1) writeNext()
  if (writeCount === WRITES_AT_ONCE) process.stdout.write('writing\n')
  if (pauseMs === undefined) await setImmediate()
  else await setTimeout(pauseMs)
}
for (const { file } of targets) closeSync(file)
process.stdout.write(`wrote ${writeCount}\n`)

function openTarget(path: string): Target {
  const file = openSync(path, constants.O_RDWR | constants.O_DIRECT)
  return { file, blockCount: Math.floor((spanBytes ?? sizeOf(file)) / blockBytes) }
}

/** A device's size is not among its attributes: its end is where nothing can be read. */
function sizeOf(file: number): number {
  const { size } = fstatSync(file)
  if (size > 0) return size
  let low = 0
  let high = 2 ** 40 / blockBytes
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (readSync(file, block, 0, blockBytes, (middle - 1) * blockBytes) === blockBytes) low = middle
    else high = middle - 1
  }
  return low * blockBytes
}

function writeNext(): void {
  const target = targets[writeCount % targets.length]
  if (target === undefined) throw new RangeError('Cannot write: no path is given')
  writeCount += 1
  fillBlock(writeCount)
  const at = randomness.below(target.blockCount) * blockBytes
  const written = writeSync(target.file, block, 0, blockBytes, at)
  if (written !== blockBytes)
    throw new RangeError(`Cannot write ${blockBytes} bytes at ${at}: wrote ${written}`)
}

function fillBlock(number: number): void {
  const words = new Uint32Array(block.buffer, 0, blockBytes / 4)
  let word = Math.imul(number, 0x9e3779b1) ^ seed
  for (let at = 2; at < words.length; at += 1) {
    word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d)
    words[at] = word
  }
  block.writeBigUInt64LE(BigInt(number))
}
