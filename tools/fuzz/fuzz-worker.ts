import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'

import { SurveyFailure } from '../../test/support/survey/survey-limit.ts'
import { loadBase, type Base, type BaseDraft, type Kind } from './base.ts'
import { Breed } from './breed.ts'
import { makeCase, type Recipe } from './make-case.ts'
import { runCase, type CaseOutcome } from './run-case.ts'

export type FuzzOrder = {
  readonly kind: Kind
  readonly drafts: readonly BaseDraft[]
  /** One after the other, each for its part of the time. */
  readonly seeds: readonly number[]
  readonly firstNumber: number
  readonly endMs: number
}

/** A case that begins, or one that failed; and at last how many there were. */
export type FuzzNews =
  | { readonly kind: 'begin'; readonly recipe: Recipe; readonly workedMs: number }
  | { readonly kind: 'failure'; readonly recipe: Recipe; readonly reason: string }
  | { readonly kind: 'end'; readonly complaintCount: number }

const port = parentPort
assert(port !== null)
const tell = (news: FuzzNews): void => {
  port.postMessage(news)
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what fuzzKind() gives
const order = workerData as FuzzOrder
const bases = await Promise.all(order.drafts.map(loadBase))
const startMs = busyMs()
let number = order.firstNumber
let complaintCount = 0
for (const seed of order.seeds) await fuzzWith(seed, busyMs() + order.endMs / order.seeds.length)
tell({ kind: 'end', complaintCount })

/** What this thread worked: a machine that others use too gets as much done, later. */
function busyMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

async function fuzzWith(seed: number, deadlineMs: number): Promise<void> {
  const breed = new Breed(seed)
  for (; busyMs() < deadlineMs; number += 1) {
    const recipe = breed.next(number)
    tell({ kind: 'begin', recipe, workedMs: busyMs() - startMs })
    try {
      const outcome = await tryCase(order.kind, bases, recipe)
      if (outcome.sentences.length > 0) complaintCount += 1
      breed.learn(recipe, outcome)
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
      tell({ kind: 'failure', recipe, reason })
    }
  }
}

async function tryCase(kind: Kind, all: readonly Base[], recipe: Recipe): Promise<CaseOutcome> {
  const { images, mustBeNoticed } = makeCase(all, recipe)
  const outcome = await runCase(kind, images)
  if (mustBeNoticed !== null && outcome.sentences.length === 0)
    throw new SurveyFailure(`nothing is said of what is wrong: ${mustBeNoticed}`)
  return outcome
}
