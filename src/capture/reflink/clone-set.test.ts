import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DegradedCode } from '../../domain/ledger.ts'
import { cloneTogether } from './clone-set.ts'
import type { CloneSource, UnnamedClone } from '../../domain/file-clone.ts'

const { signal } = new AbortController()
const unused = (): never => assert.fail('a set is flushed, looked at and cloned only')

type Model = {
  readonly path: string
  version: number
  isSettled: boolean
  /** What happens when it is cloned. */
  onClone: () => void
}

let openCount = 0

function dispose(): Promise<void> {
  openCount -= 1
  return Promise.resolve()
}

function sourceOf(model: Model): CloneSource {
  return {
    path: model.path,
    flush: () => Promise.resolve(),
    version: () => Promise.resolve({ text: String(model.version), isSettled: model.isSettled }),
    room: unused,
    extentCount: unused,
    clone: async () => {
      await Promise.resolve()
      model.onClone()
      openCount += 1
      const state = { inode: '1', generation: 1, sizeBytes: 1, modifiedNs: '', changedNs: '', linkCount: 0 }
      const clone: UnnamedClone = { state, publish: unused, [Symbol.asyncDispose]: dispose }
      return clone
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function models(): readonly [Model, Model] {
  const quiet = { version: 1, isSettled: true, onClone: () => {} }
  return [
    { path: '/one', ...quiet },
    { path: '/two', ...quiet },
  ]
}

async function attempt(set: readonly Model[]): Promise<{ waits: number; degraded: readonly string[] }> {
  openCount = 0
  let waits = 0
  const wait = (): Promise<void> => {
    waits += 1
    for (const model of set) model.isSettled = true
    return Promise.resolve()
  }
  const { clones, degraded } = await cloneTogether(set.map(sourceOf), { wait, signal })
  assert.equal(clones.length, set.length)
  assert.equal(openCount, set.length, 'clones of attempts that failed are still open')
  return { waits, degraded: degraded.map(({ code }) => code) }
}

test('cloneTogether() of files that nobody writes to is of one moment, at once', async () => {
  assert.deepEqual(await attempt(models()), { waits: 0, degraded: [] })
})

test('cloneTogether() tries again when a file was written meanwhile, until none was', async () => {
  const set = models()
  let writeCount = 2
  set[0].onClone = () => {
    if (writeCount > 0) set[1].version += 1
    writeCount -= 1
  }
  assert.deepEqual(await attempt(set), { waits: 2, degraded: [] })
})

test('cloneTogether() says so when a file is written all the time, but not of a single file', async () => {
  const set = models()
  set[0].onClone = () => {
    set[0].version += 1
  }
  assert.deepEqual(await attempt(set), { waits: 4, degraded: [DegradedCode.MomentsDiffer] })
  assert.deepEqual(await attempt(set.slice(0, 1)), { waits: 0, degraded: [] })
})

test('cloneTogether() looks again when the last write is too fresh to tell from a next one', async () => {
  const set = models()
  set[1].isSettled = false
  assert.deepEqual(await attempt(set), { waits: 1, degraded: [] })
})

test('cloneTogether() leaves no clone when one cannot be made', async () => {
  const set = models()
  set[1].onClone = () => {
    throw new Error('no clone')
  }
  await assert.rejects(attempt(set), /no clone/)
  assert.equal(openCount, 0)
})
