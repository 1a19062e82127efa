import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { seededRandomness } from '../../test/support/seeded-randomness.ts'
import { RingMemory } from './ring-memory.ts'

const PAGE = 4096

test('RingMemory hands out as many small pieces as fit, each at a page', async () => {
  const memory = new Uint8Array(8 * PAGE)
  const ring = new RingMemory(memory)
  const pieces = await Promise.all(Array.from({ length: 8 }, () => ring.acquire(100)))
  assert.deepEqual(
    pieces.map(({ byteOffset, byteLength }) => [byteOffset, byteLength]),
    pieces.map((_, index) => [index * PAGE, 100]),
  )
  const late = ring.acquire(PAGE)
  assert.equal(await isSettled(late), false)
  ring.release(pieces[1] ?? memory)
  assert.equal(await isSettled(late), false, 'the oldest is still used')
  ring.release(pieces[0] ?? memory)
  assert.equal((await late).byteOffset, 0)
})

test('RingMemory lets nobody overtake who waits for more', async () => {
  const ring = new RingMemory(new Uint8Array(4 * PAGE))
  const first = await ring.acquire(3 * PAGE)
  const large = ring.acquire(4 * PAGE)
  const small = ring.acquire(1)
  assert.equal(await isSettled(small), false)
  ring.release(first)
  ring.release(await large)
  assert.equal((await small).byteLength, 1)
})

test('RingMemory gives all of its memory at once, also when that is no whole number of pages', async () => {
  const ring = new RingMemory(new Uint8Array(PAGE + 10))
  const all = await ring.acquire(PAGE + 10)
  assert.equal(all.byteLength, PAGE + 10)
  ring.release(all)
  assert.equal((await ring.acquire(PAGE + 1)).byteLength, PAGE + 1)
})

test('RingMemory never gives the same bytes twice, and everybody gets theirs', async () => {
  const randomness = seededRandomness(7)
  const ring = new RingMemory(new Uint8Array(64 * PAGE))
  const owners = new Uint16Array(64)
  const uses: Promise<void>[] = []
  const held: { readonly bytes: Uint8Array; readonly number: number }[] = []
  const use = async (number: number): Promise<void> => {
    const bytes = await ring.acquire(1 + randomness.below(16 * PAGE))
    for (let page = bytes.byteOffset / PAGE; page * PAGE < bytes.byteOffset + bytes.byteLength; page += 1) {
      assert.equal(owners[page], 0)
      owners[page] = number
    }
    held.push({ bytes, number })
  }
  for (let number = 1; number <= 2000; number += 1) {
    uses.push(use(number))
    await nextTurn()
    // Nearly in order, as reads that fail come back early.
    while (held.length > 3) releaseOne(held, owners, { ring, at: randomness.below(2) })
  }
  const all = Promise.all(uses)
  while (!(await isSettled(all))) releaseOne(held, owners, { ring, at: 0 })
})

function releaseOne(
  held: { readonly bytes: Uint8Array; readonly number: number }[],
  owners: Uint16Array,
  { ring, at }: { readonly ring: RingMemory; readonly at: number },
): void {
  const [one] = held.splice(Math.min(at, held.length - 1), 1)
  assert.ok(one !== undefined)
  for (const [page, owner] of owners.entries()) if (owner === one.number) owners[page] = 0
  ring.release(one.bytes)
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  void promise.then(() => (settled = true))
  await nextTurn()
  return settled
}
