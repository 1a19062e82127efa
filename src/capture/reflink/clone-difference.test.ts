import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesImage } from '../../../test/support/bytes-image.ts'
import type { Range } from '../../domain/range.ts'
import { cloneDifference } from './clone-difference.ts'
import type { Clone, FileExtent, CloneFolder } from '../../domain/file-clone.ts'

const PAGE = 4096
const signal = new AbortController().signal
const unused = (): never => assert.fail('a difference asks for maps only')
const folder: CloneFolder = { path: '', names: unused, open: unused, room: unused }

/** A clone whose map is what `map` says each time that it is asked for. */
function cloneOf(pages: number, map: () => readonly FileExtent[], isMoved = false): Clone {
  return {
    path: '/.icecore/clone',
    folder,
    fd: -1,
    direct: false,
    image: bytesImage(new Uint8Array(pages * PAGE)),
    space: '8:1',
    isMoved,
    state: unused,
    facts: unused,
    setFacts: unused,
    remove: unused,
    extents: async function* extents() {
      yield await Promise.resolve(map())
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

type Place = FileExtent['place']

/** In pages: from where, how many, and where they lie. */
function extent(...[page, count, at, place = 'exact']: [number, number, number, Place?]): FileExtent {
  return { offset: page * PAGE, length: count * PAGE, place, physicalOffset: at * PAGE, shared: true }
}

async function differingPages(base: Clone, next: Clone): Promise<readonly number[]> {
  const ranges: Range[] = []
  for await (const batch of cloneDifference({ base, next }, signal)) ranges.push(...batch)
  return ranges.flatMap(({ offset, length }) =>
    Array.from({ length: length / PAGE }, (_, index) => offset / PAGE + index),
  )
}

test('cloneDifference() has what lies elsewhere, and nothing that lies where it lay, however it is cut', async () => {
  const base = cloneOf(10, () => [extent(0, 8, 100), extent(9, 1, 200)])
  const next = cloneOf(10, () => [extent(0, 3, 100), extent(3, 1, 300), extent(4, 4, 104), extent(9, 1, 200)])
  assert.deepEqual(await differingPages(base, next), [3])
  assert.deepEqual(await differingPages(base, base), [])
})

test('cloneDifference() calls holes and what is unwritten the same, and what took their place different', async () => {
  const base = cloneOf(6, () => [extent(0, 2, 100), extent(2, 2, 700, 'unwritten')])
  const next = cloneOf(6, () => [extent(1, 1, 101), extent(3, 1, 800, 'unwritten'), extent(4, 1, 900)])
  assert.deepEqual(await differingPages(base, next), [0, 4])
})

test('cloneDifference() never believes a place that is not exact', async () => {
  const base = cloneOf(4, () => [extent(0, 2, 100), extent(2, 2, 200, 'inexact')])
  assert.deepEqual(await differingPages(base, base), [2, 3])
})

test('cloneDifference() ends where the image ends, and has all of what it grew by', async () => {
  const short = cloneOf(2, () => [extent(0, 2, 100)])
  const long = cloneOf(5, () => [extent(0, 4, 100)])
  assert.deepEqual(await differingPages(short, long), [2, 3, 4])
  assert.deepEqual(await differingPages(long, short), [])
})

test('cloneDifference() is not deceived when bytes are moved between the reading of one map and the other', async () => {
  // The base's page moves from 100 to 500; then the page that the next image has there instead moves to 100.
  let readCount = 0
  const base = cloneOf(1, () => [extent(0, 1, (readCount += 1) === 1 ? 100 : 500)], true)
  const next = cloneOf(1, () => [extent(0, 1, 100)], true)
  assert.deepEqual(await differingPages(base, next), [0])
})
