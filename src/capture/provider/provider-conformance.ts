import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startWriter, type WriterTarget } from '../../../test/support/start-writer.ts'
import { isBackupError, ErrorCode } from '../../domain/backup-error.ts'
import { DegradedCode } from '../../domain/ledger.ts'
import type { HeldImage } from './held-image.ts'
import { assertCovers, readBytes, readRaw } from '../../../test/support/image-bytes.ts'
import { imageConformance, type ConformingSource, type ImageConformanceOptions } from './image-conformance.ts'
import type { FrozenGroup, Provider } from './provider.ts'
import type { ProvidedImage } from './provided-image.ts'

/** A system that a provider can freeze sources of, made for one test. */
export type ProviderCase = AsyncDisposable & {
  /** A new instance: what another process, or a later one, would have. */
  provider(): Provider
  /** At least two. Their content and what is behind them is of no matter. */
  readonly sources: readonly ConformanceSource[]
  /** The path of something that exists, and that this provider cannot freeze. */
  readonly unsuitable: string
  /** Names of whatever held images leave on the system: snapshots, files, folders. Empty when nothing is left. */
  leftovers(): Promise<readonly string[]>
  /** What the next start of the host does to what is held, as far as it can be had. */
  restart(): Promise<void>
  /** Makes what looks like this image and is another: a copy with all tags or attributes. Null when that cannot be. */
  readonly imitate: ((image: HeldImage) => Promise<AsyncDisposable>) | null
  /** Takes the image away behind the provider's back. */
  destroy(image: HeldImage): Promise<void>
  /** The bytes of a held image as the system itself shows them, where it can. */
  readonly truth?: (image: HeldImage) => Promise<Uint8Array>
}

export type ConformanceSource = {
  /** What freeze() is asked for. */
  readonly path: string
  /** What is written to, to change it: the same path, or a file of a file system that is frozen. */
  readonly target: WriterTarget
}

type Open = () => Promise<ProviderCase>
type Body = (opened: ProviderCase, context: TestContext) => Promise<void>
type Check = (what: string, body: Body) => void

const signal = new AbortController().signal
const LEASE_MS = 3_600_000
const newKey = (): string => randomBytes(16).toString('hex')
const newPoint = (): string => randomBytes(32).toString('hex')

/** What every provider does, and nothing less: a backup is worth what its frozen images are worth. */
export function providerConformance(name: string, open: Open, options: ImageConformanceOptions): void {
  imageConformance(name, () => openSource(open), options)
  const check: Check = (what, body) => {
    test(`${name}: ${what}`, { skip: options.skip }, async (context) => {
      await using opened = await open()
      await body(opened, context)
      await releaseAll(opened)
      assert.deepEqual(await opened.leftovers(), [], 'something is left behind')
    })
  }
  momentConformance(check, options.roundCount)
  changesConformance(check)
  holdingConformance(check)
  releasingConformance(check)
  refusalConformance(check)
}

async function freeze(
  opened: ProviderCase,
  wish: { readonly key: string; readonly count?: number; readonly signal?: AbortSignal },
): Promise<FrozenGroup> {
  const sources = opened.sources.slice(0, wish.count ?? 1).map(({ path }) => path)
  const leaseEndsAtMs = Date.now() + LEASE_MS // oxlint-disable-line no-restricted-globals -- a real lease
  return await opened
    .provider()
    .freeze({ sources, lineageKey: wish.key, leaseEndsAtMs, owner: 'conformance' }, wish.signal ?? signal)
}

function only(group: FrozenGroup): ProvidedImage {
  const [image] = group.images
  assert.ok(image)
  return image
}

/** The image that is held as the base of a lineage, found by a new instance. */
async function heldBase(opened: ProviderCase, key: string): Promise<HeldImage> {
  const held = (await opened.provider().held(signal)).filter(({ lineageKey }) => lineageKey === key)
  const [base, ...others] = held.filter(({ use }) => use.kind === 'base')
  assert.ok(base, 'no base is held')
  assert.deepEqual(others, [], 'more than one base is held')
  return base
}

/** The first source of a case, frozen for one lineage: what changed is told against the base that the round before left. */
async function openSource(open: Open): Promise<ConformingSource> {
  const opened = await open()
  const [source] = opened.sources
  assert.ok(source)
  const key = newKey()
  let base: HeldImage | null = null
  return {
    startWriter: (seed) => startWriter([source.target], { seed, mode: 'mix' }),
    async freeze() {
      const group = await freeze(opened, { key })
      const provided = only(group)
      const { changesSince } = provided
      const { truth } = opened
      return {
        image: provided.image,
        readRaw: () => readRaw(provided, signal),
        truth: truth === undefined ? null : () => truth(provided.held),
        changes: changesSince === null ? null : () => changesSince(base ?? assert.fail('no base'), signal),
        async keep() {
          await group.keep(newPoint(), signal)
          if (changesSince !== null) base = await heldBase(opened, key)
        },
        [Symbol.asyncDispose]: () => group[Symbol.asyncDispose](),
      }
    },
    releaseBase: () => releaseAll(opened),
    leftovers: () => opened.leftovers(),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

async function releaseAll(opened: ProviderCase): Promise<void> {
  for (const image of await opened.provider().held(signal)) await opened.provider().release(image, signal)
}

/** A number is written to all places, one after the other: one moment has at most one step between them. */
function momentConformance(check: Check, roundCount: number): void {
  check('freeze() freezes one moment of all sources, or says that it did not', async (opened, context) => {
    const targets = opened.sources.map(({ target }) => target)
    await using writer = await startWriter(targets, { seed: 1, mode: 'count' })
    let apartCount = 0
    for (let round = 1; round <= roundCount; round += 1) {
      await writer.wrote(16)
      for (const count of [1, opened.sources.length]) {
        await using group = await freeze(opened, { key: newKey(), count })
        const isApart = group.degraded.some(({ code }) => code === DegradedCode.MomentsDiffer)
        assert.ok(count > 1 || !isApart, 'one source is of one moment')
        if (isApart) apartCount += 1
        const images = await Promise.all(group.images.map(({ image }) => readBytes(image)))
        const groups = isApart ? images.map((image) => [image]) : [images]
        for (const together of groups) assertOneStep(together.flatMap((bytes) => numbersOf(bytes)))
      }
    }
    context.diagnostic(`${apartCount} of ${roundCount} groups said that they are not of one moment`)
    await writer.pause()
    await setTimeout(50)
    await using group = await freeze(opened, { key: newKey(), count: opened.sources.length })
    assert.deepEqual(group.degraded, [], 'nobody wrote')
  })
}

const PAGE_BYTES = 4096

/** The numbers at the writer's two places, which are those of the image when the source itself is written to. */
function numbersOf(bytes: Buffer): readonly number[] {
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(bytes.byteLength - PAGE_BYTES)]
}

function assertOneStep(numbers: readonly number[]): void {
  const [first = 0] = numbers
  for (const [index, number] of numbers.entries()) {
    const before = numbers[index - 1] ?? first
    assert.ok(number <= before && number >= first - 1, `not of one moment: ${numbers.join(', ')}`)
  }
}

function changesConformance(check: Check): void {
  check(
    'changesSince() is empty when nobody wrote, and of a base that is gone it is unknown',
    async (opened) => {
      const key = newKey()
      await using first = await freeze(opened, { key })
      if (only(first).changesSince === null) return
      await first.keep(newPoint(), signal)
      const base = await heldBase(opened, key)
      await using second = await freeze(opened, { key })
      const { changesSince } = only(second)
      assert.ok(changesSince)
      const stream = await changesSince(base, signal)
      for (let time = 0; time < 2; time += 1) {
        for await (const batch of stream()) assert.deepEqual(batch, [], 'changes where there are none')
      }
      await opened.provider().release(base, signal)
      await using third = await freeze(opened, { key })
      const asked = only(third).changesSince
      assert.ok(asked)
      await assert.rejects(
        async () => {
          for await (const _batch of (await asked(base, signal))());
        },
        { code: ErrorCode.ChangesUnknown },
      )
    },
  )

  check('changesSince() is right after the next start of the host', async (opened) => {
    const key = newKey()
    const [source] = opened.sources
    assert.ok(source)
    const before = await frozenBytes(opened, key)
    if (before === null) return
    await opened.restart()
    {
      await using writer = await startWriter([source.target], { seed: 77, mode: 'mix' })
      await writer.wrote(20)
    }
    await using group = await freeze(opened, { key })
    const after = await readBytes(only(group).image)
    const stream = await only(group).changesSince?.(await heldBase(opened, key), signal)
    assert.ok(stream)
    assert.ok((await assertCovers(stream(), { before, after, where: 'after a restart' })) > 0)
  })
}

/** Freezes the first source and keeps it; its bytes, or null when this provider knows no changes. */
async function frozenBytes(opened: ProviderCase, key: string): Promise<Buffer | null> {
  await using group = await freeze(opened, { key })
  const bytes = await readBytes(only(group).image)
  await group.keep(newPoint(), signal)
  return only(group).changesSince === null ? null : bytes
}

function holdingConformance(check: Check): void {
  check(
    'keep() makes the base, found again after a restart, and releases the base before and only it',
    async (opened) => {
      const [key, otherKey] = [newKey(), newKey()]
      const points = [newPoint(), newPoint(), newPoint()]
      const count = opened.sources.length
      await keepOne(opened, { key: otherKey, pointId: points[0] ?? '', count })
      for (const pointId of points) {
        const kept = await keepOne(opened, { key, pointId, count })
        const found = await opened.provider().held(signal)
        const mine = found.filter(({ lineageKey }) => lineageKey === key)
        if (kept === null) {
          assert.deepEqual(found, [], 'a provider that knows no changes keeps nothing')
          continue
        }
        assert.deepEqual(mine.map(factsOf).toSorted(byId), kept.map(factsOf).toSorted(byId))
        for (const { use } of mine) assert.deepEqual(use, { kind: 'base', pointId })
        assert.equal(found.filter(({ lineageKey }) => lineageKey === otherKey).length, count)
      }
      const before = (await opened.provider().held(signal)).map(factsOf).toSorted(byId)
      if (before.length === 0) return
      assert.equal(new Set(before.map(({ id }) => id)).size, 2 * count)
      await opened.restart()
      assert.deepEqual((await opened.provider().held(signal)).map(factsOf).toSorted(byId), before)
    },
  )

  check('held() shows the image of a run, and none of what only looks like one', async (opened) => {
    const key = newKey()
    await using group = await freeze(opened, { key })
    const { held } = only(group)
    assert.equal(held.use.kind, 'run')
    assert.equal(held.provider, opened.provider().name)
    assert.deepEqual((await opened.provider().held(signal)).map(factsOf), [factsOf(held)])
    if (opened.imitate === null) return
    await using _imitation = await opened.imitate(held)
    assert.deepEqual((await opened.provider().held(signal)).map(factsOf), [factsOf(held)])
  })
}

type Facts = Omit<HeldImage, 'cost'>

function factsOf({ cost: _cost, ...facts }: HeldImage): Facts {
  return facts
}

function byId(first: Facts, second: Facts): number {
  return first.id < second.id ? -1 : 1
}

/** Null for a provider that knows no changes and has no use for a base. */
async function keepOne(
  opened: ProviderCase,
  { key, pointId, count }: { readonly key: string; readonly pointId: string; readonly count: number },
): Promise<readonly HeldImage[] | null> {
  await using group = await freeze(opened, { key, count })
  await group.keep(pointId, signal)
  return only(group).changesSince === null ? null : group.images.map(({ held }) => held)
}

function releasingConformance(check: Check): void {
  check('what was not kept is released, and to release again is no error', async (opened) => {
    const key = newKey()
    const group = await freeze(opened, { key, count: opened.sources.length })
    const held = group.images.map((image) => image.held)
    assert.equal((await opened.provider().held(signal)).length, held.length)
    await group[Symbol.asyncDispose]()
    assert.deepEqual(await opened.leftovers(), [])
    for (const image of held) await opened.provider().release(image, signal)

    const [kept] = (await keepOne(opened, { key, pointId: newPoint(), count: 1 })) ?? []
    if (kept === undefined) return
    await opened.provider().release(kept, signal)
    await opened.provider().release(kept, signal)
    assert.deepEqual(await opened.leftovers(), [])
  })

  check('identify() says when the image is lost', async (opened) => {
    await using group = await freeze(opened, { key: newKey() })
    assert.deepEqual(await only(group).identify(signal), [])
    await opened.destroy(only(group).held)
    await assert.rejects(only(group).identify(signal), { code: ErrorCode.ImageLost })
  })

  check('freeze() that is cancelled at any moment leaves nothing', async (opened) => {
    await using _writer = await startWriter(
      opened.sources.map(({ target }) => target),
      { seed: 5, mode: 'mix' },
    )
    const reason = new Error('cancelled by the test')
    for (let round = 0; round < 20; round += 1) {
      const cancelled = new AbortController()
      const frozen = freeze(opened, { key: newKey(), count: opened.sources.length, signal: cancelled.signal })
      const settled = frozen.then(
        async (group) => await group[Symbol.asyncDispose](),
        (error: unknown) => assert.equal(error, reason),
      )
      await setTimeout(round)
      cancelled.abort(reason)
      await settled
      assert.deepEqual(await opened.leftovers(), [], `something is left after ${round} ms`)
    }
  })
}

function refusalConformance(check: Check): void {
  check('freeze() refuses what it cannot freeze, and leaves nothing', async (opened) => {
    const good = opened.sources.map(({ path }) => path)
    for (const bad of [opened.unsuitable, '/nonexistent/source']) {
      const request = {
        sources: [...good, bad],
        lineageKey: newKey(),
        leaseEndsAtMs: 2 ** 42,
        owner: 'conformance',
      }
      await assert.rejects(opened.provider().freeze(request, signal), (error) =>
        isBackupError(error, ErrorCode.SourceUnsuitable, ErrorCode.SourceMissing),
      )
      assert.deepEqual(await opened.leftovers(), [])
    }
  })
}
