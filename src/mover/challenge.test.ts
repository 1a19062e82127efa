import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import type { Range } from '../domain/range.ts'
import { seededRandomness } from '../../test/support/seeded-randomness.ts'
import { challenge, CHALLENGE_COUNT, type ChallengeParts } from './challenge.ts'

const SIZE = 4 * 1024 * 1024
const HOLE = { offset: 1024 * 1024, length: 1024 * 1024 }

function frozenBytes(): Uint8Array {
  return Uint8Array.from({ length: SIZE }, (_, index) => (index * 2_654_435_761) >>> 13)
}

type Odds = Partial<ChallengeParts> & { readonly mine?: Uint8Array }

/** An owner that reads its image, and this host that reads its own copy of it. */
function partsOf(owner: Uint8Array, { mine = owner, ...odds }: Odds = {}): ChallengeParts {
  return {
    source: '/dev/vg0/home',
    sizeBytes: SIZE,
    sectorSizeBytes: 512,
    async *dataRanges() {
      yield await Promise.resolve([
        { offset: 0, length: HOLE.offset },
        { offset: HOLE.offset + HOLE.length, length: SIZE - HOLE.offset - HOLE.length },
      ])
    },
    ask: ({ key, ranges }) =>
      Promise.resolve(
        ranges.map(({ offset, length }) =>
          createHmac('sha256', key)
            .update(owner.subarray(offset, offset + length))
            .digest(),
        ),
      ),
    read: ({ offset, length }) => Promise.resolve(mine.slice(offset, offset + length)),
    moved: () => Promise.resolve([]),
    where: ({ offset }) => `disk 0 at ${offset}`,
    randomness: seededRandomness(1),
    ...odds,
  }
}

const { signal } = new AbortController()

async function codeOf(parts: ChallengeParts): Promise<string> {
  try {
    return `${await challenge(parts, signal)} compared`
  } catch (error) {
    if (!isBackupError(error)) throw error
    return `${error.code}: ${error.message}`
  }
}

test('challenge() compares ranges of data, in whole sectors, ascending', async () => {
  const asked: Range[] = []
  const parts = partsOf(frozenBytes())
  const ask: ChallengeParts['ask'] = (question, now) => {
    asked.push(...question.ranges)
    return parts.ask(question, now)
  }
  assert.equal(await challenge({ ...parts, ask }, signal), asked.length)
  assert.ok(asked.length > CHALLENGE_COUNT / 2)
  let end = 0
  for (const { offset, length } of asked) {
    assert.ok(offset >= end && length >= 512 && length <= 65_536 && offset % 512 === 0 && length % 512 === 0)
    assert.ok(offset + length <= HOLE.offset || offset >= HOLE.offset + HOLE.length)
    end = offset + length
  }
  assert.ok(end <= SIZE)
})

test('challenge() reads a few ranges at once while the owner is asked, and none when it has ended', async () => {
  let open = 0
  let most = 0
  let answer: (() => void) | null = null
  const parts = partsOf(frozenBytes())
  const read: ChallengeParts['read'] = async (range) => {
    open += 1
    most = Math.max(most, open)
    await sleep(1)
    open -= 1
    answer?.()
    return await parts.read(range)
  }
  const ask: ChallengeParts['ask'] = async (question, now) => {
    await new Promise<void>((resolve) => (answer = resolve))
    return await parts.ask(question, now)
  }
  assert.match(await codeOf({ ...parts, read, ask }), /^\d+ compared$/)
  assert.equal(most, 8)
  const refusal = new BackupError(ErrorCode.AgentRefused, 'it is being stopped')
  const refused = await codeOf({ ...parts, read, ask: () => Promise.reject(refusal) })
  assert.equal(refused, `${ErrorCode.AgentRefused}: it is being stopped`)
  assert.equal(open, 0)
  const unreadable: ChallengeParts['read'] = async (range) => {
    await read(range)
    if (range.offset > SIZE / 2) throw new BackupError(ErrorCode.SourceUnreadable, 'EIO')
    return await parts.read(range)
  }
  assert.equal(await codeOf({ ...parts, read: unreadable }), `${ErrorCode.SourceUnreadable}: EIO`)
  assert.equal(open, 0)
})

test('challenge() refuses another disk, and names the range and the disk', async () => {
  const found = await codeOf(partsOf(frozenBytes(), { mine: new Uint8Array(SIZE) }))
  assert.match(found, new RegExp(`^${ErrorCode.ChallengeFailed}: .*"/dev/vg0/home".*on disk 0 at \\d+`))
})

const answersOf =
  (length: number): ChallengeParts['ask'] =>
  ({ ranges }) =>
    Promise.resolve(ranges.map(() => new Uint8Array(length)))

test('challenge() refuses an owner that answers digests of something else, too few, or none', async () => {
  assert.match(await codeOf(partsOf(frozenBytes(), { ask: answersOf(32) })), /^CHALLENGE_FAILED/)
  assert.match(await codeOf(partsOf(frozenBytes(), { ask: answersOf(4) })), /^CHALLENGE_FAILED/)
  assert.match(await codeOf(partsOf(frozenBytes(), { ask: () => Promise.resolve([]) })), /^PROTOCOL_WRONG/)
})

test('challenge() asks with another key each time', async () => {
  const keys: string[] = []
  const parts = partsOf(frozenBytes())
  const ask: ChallengeParts['ask'] = (question, now) => {
    keys.push(question.key.toHex())
    return parts.ask(question, now)
  }
  await challenge({ ...parts, ask }, signal)
  await challenge({ ...parts, ask }, signal)
  assert.equal(new Set(keys).size, 2)
})

const restless: ChallengeParts['moved'] = () => Promise.resolve([{ offset: 0, length: SIZE }])

test('challenge() reads again what moved while it was read, and refuses what moves without end', async () => {
  const owner = frozenBytes()
  const mine = new Uint8Array(SIZE)
  const moved: ChallengeParts['moved'] = () => {
    mine.set(owner)
    return Promise.resolve([{ offset: 0, length: SIZE }])
  }
  assert.match(await codeOf(partsOf(owner, { mine, moved })), / compared$/)
  assert.match(
    await codeOf(partsOf(owner, { mine: new Uint8Array(SIZE), moved: restless })),
    /^SOURCE_CHANGED/,
  )
})

async function* nothing(): AsyncGenerator<readonly Range[]> {
  yield await Promise.resolve([])
}

test('challenge() has nothing to ask of an image without data', async () => {
  assert.equal(await challenge(partsOf(frozenBytes(), { dataRanges: nothing }), signal), 0)
})
