import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { assertCovers, readBytes } from '../../../test/support/image-bytes.ts'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { RangeStream } from './provided-image.ts'

/** A source that something freezes again and again, made for one test: a provider of ours, or the server that serves it. */
export type ConformingSource = AsyncDisposable & {
  /** Writes all the time and as fast as the source takes it. */
  startWriter(seed: number): Promise<SourceWriter>
  /** Freezes it as it is now. */
  freeze(): Promise<FrozenRound>
  /** Lets go of the base that the last round left for the next one. */
  releaseBase(): Promise<void>
  /** Names of whatever frozen images and bases leave behind where they are held. Empty when nothing is left. */
  leftovers(): Promise<readonly string[]>
}

export type SourceWriter = AsyncDisposable & {
  /** Waits until it has written so many times more. */
  wrote(count: number): Promise<void>
}

/** One frozen image of the source. To dispose of it lets go of it; where it was not kept, nothing of it is left. */
export type FrozenRound = AsyncDisposable & {
  readonly image: FrozenImage
  /** Its bytes, read where its map says. A map with gaps, overlaps or an end of its own is a failure. */
  readRaw(signal: AbortSignal): Promise<Buffer>
  /** Its bytes as another program shows them. Null where there is none. */
  readonly truth: (() => Promise<Uint8Array>) | null
  /** What may differ from the round that was kept before. Null where nothing knows changes. */
  readonly changes: ((signal: AbortSignal) => Promise<RangeStream>) | null
  /** Makes it what the changes of the next round are told against. */
  keep(signal: AbortSignal): Promise<void>
}

export type ImageConformanceOptions = {
  readonly skip: string | false
  /** Rounds of writing, freezing and comparing, each with a seed of its own. */
  readonly roundCount: number
  /** Some of what the writer clears is zeros in the maps, and none of it is read. */
  readonly mapsZeros?: boolean
}

const signal = new AbortController().signal

/**
 * What every frozen image is, whoever freezes it: it stays the same under a writer, its map is true, its list of changes misses
 * nothing, and releasing it leaves nothing.
 */
export function imageConformance(
  name: string,
  open: () => Promise<ConformingSource>,
  { skip, roundCount, mapsZeros = false }: ImageConformanceOptions,
): void {
  const what = `${roundCount} rounds under a writer: frozen, told truly, nothing that changed is missed`
  test(`${name}: ${what}`, { skip }, async (context) => {
    await using source = await open()
    await assertRounds(source, { roundCount, mapsZeros, context })
    await source.releaseBase()
    assert.deepEqual(await source.leftovers(), [], 'something is left behind')
    await (await source.freeze())[Symbol.asyncDispose]()
    assert.deepEqual(await source.leftovers(), [], 'something is left of what was not kept')
  })
}

type Rounds = {
  readonly roundCount: number
  readonly mapsZeros: boolean
  readonly context: TestContext
}

async function assertRounds(
  source: ConformingSource,
  { roundCount, mapsZeros, context }: Rounds,
): Promise<void> {
  let before: Buffer | null = null
  let leftCount: number | null = null
  let [changedBytes, zeroBytes] = [0, 0]
  for (let seed = 1; seed <= roundCount; seed += 1) {
    const round: Round = await assertRound(source, { seed, before })
    changedBytes += round.changedBytes
    zeroBytes += round.zeroBytes
    if (round.tellsChanges) before = round.bytes
    const left = await source.leftovers()
    leftCount ??= left.length
    assert.equal(left.length, leftCount, `seed ${seed}: rounds pile up: ${left.join(', ')}`)
  }
  const changed = before === null ? 'nothing is told of changes' : `${changedBytes} bytes changed`
  context.diagnostic(`${changed}, ${zeroBytes} were mapped as zeros`)
  if (before !== null) assert.ok(changedBytes > 0, 'the writer changed nothing')
  if (mapsZeros) assert.ok(zeroBytes > 0, 'no map tells of zeros')
}

type Round = {
  readonly bytes: Buffer
  readonly tellsChanges: boolean
  readonly changedBytes: number
  readonly zeroBytes: number
}

async function assertRound(
  source: ConformingSource,
  { seed, before }: { readonly seed: number; readonly before: Buffer | null },
): Promise<Round> {
  const where = `seed ${seed}`
  await using writer = await source.startWriter(seed)
  await writer.wrote(50)
  await using frozen = await source.freeze()
  const bytes = await readBytes(frozen.image)
  await writer.wrote(50)
  const raw = await frozen.readRaw(signal)
  assert.ok(bytes.equals(raw), `${where}: bytes where the map says are others`)
  const truth = await frozen.truth?.()
  assert.ok(truth === undefined || bytes.equals(truth), `${where}: others are shown other bytes`)
  let changedBytes = 0
  if (before !== null) {
    assert.ok(frozen.changes)
    const stream = await frozen.changes(signal)
    await writer.wrote(10)
    changedBytes = await assertCovers(stream(), { before, after: bytes, where })
  }
  const zeroBytes = await mappedAsZeros(frozen.image)
  await writer.wrote(10)
  assert.ok(bytes.equals(await readBytes(frozen.image)), `${where}: the frozen image changed`)
  await frozen.keep(signal)
  return { bytes, tellsChanges: frozen.changes !== null, changedBytes, zeroBytes }
}

async function mappedAsZeros(image: FrozenImage): Promise<number> {
  let zeroBytes = 0
  for await (const batch of image.extents({ offset: 0, length: image.sizeBytes }, signal)) {
    for (const { kind, length } of batch) if (kind === 'zero') zeroBytes += length
  }
  return zeroBytes
}
