import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { FrozenPart } from './freeze/frozen-source.ts'
import type { OpenSources } from './open-backup-sources.ts'
import { planStill } from './plan-still.ts'
import type { PlannedSources } from './planned-sources.ts'

const { signal } = new AbortController()
const anotherDisk = new BackupError(ErrorCode.ChallengeFailed, 'another disk')

test('planStill() plans again while what it looked at had moved, and gives the plan that holds', async () => {
  const plans = new Plans()
  const rights = [false, false, true]
  const source = sourceOf({ isLookedRight: () => Promise.resolve(rights.shift() ?? false) })
  const planned = await planStill(openedOf(source), plans.make, signal)
  assert.equal(plans.made.indexOf(planned), 2)
  assert.deepEqual(plans.disposed, plans.made.slice(0, 2))
})

test('planStill() believes nothing before the challenge has ended, not even that it cannot be planned', async () => {
  const log: string[] = []
  const note = async (what: string): Promise<boolean> => await Promise.resolve(log.push(what) > 0)
  const source = sourceOf({
    challenged: async () => void (await note('challenged')),
    isLookedRight: () => note('asked what moved'),
  })
  const plan = async (): Promise<PlannedSources> => {
    await note('planned')
    return await unplanned()
  }
  await assert.rejects(planStill(openedOf(source), plan, signal), /no file system/)
  assert.deepEqual(log, ['planned', 'challenged', 'asked what moved'])
})

test('planStill() says that it was another disk, whether a plan was made of it or not', async () => {
  const source = sourceOf({
    challenged: () => Promise.reject(anotherDisk),
    isLookedRight: () => assert.fail('nobody asks'),
  })
  await assert.rejects(planStill(openedOf(source), unplanned, signal), anotherDisk)
  const plans = new Plans()
  await assert.rejects(planStill(openedOf(source), plans.make, signal), anotherDisk)
  assert.deepEqual(plans.disposed, plans.made)
})

test('planStill() gives up an image that moves faster than it can be looked at', async () => {
  const plans = new Plans()
  const source = sourceOf({ isLookedRight: () => Promise.resolve(false) })
  await assert.rejects(planStill(openedOf(source), plans.make, signal), { code: ErrorCode.SourceChanged })
  assert.deepEqual(plans.disposed, plans.made)
})

function unplanned(): Promise<PlannedSources> {
  return Promise.reject(new Error('no file system'))
}

/** Counts what was made, and what was let go. */
class Plans {
  readonly made: PlannedSources[] = []
  readonly disposed: PlannedSources[] = []

  readonly make = (): Promise<PlannedSources> => {
    const plan: PlannedSources = {
      sources: [],
      addresses: [],
      degraded: [],
      leftOut: new Map(),
      [Symbol.asyncDispose]: () => {
        this.disposed.push(plan)
        return Promise.resolve()
      },
    }
    this.made.push(plan)
    return Promise.resolve(plan)
  }
}

function sourceOf(frozen: Partial<FrozenPart>): OpenSources['sources'][number]['local'] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of a source is looked at
  return { frozen } as unknown as OpenSources['sources'][number]['local']
}

function openedOf(local: OpenSources['sources'][number]['local']): OpenSources {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else is looked at
  return { sources: [{ name: 'a', local, isMountedForWriting: false }] } as unknown as OpenSources
}
