import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'

import { loadBase, type BaseDraft, type Kind } from './base.ts'
import { makeCase } from './make-case.ts'
import { runCase } from './run-case.ts'

export type FuzzOrder = {
  readonly kind: Kind
  readonly drafts: readonly BaseDraft[]
  readonly seed: number
  readonly firstNumber: number
  readonly endMs: number
}

/** A case that begins, or one that failed; and at last how many there were. */
export type FuzzNews =
  | { readonly kind: 'begin'; readonly number: number }
  | { readonly kind: 'failure'; readonly number: number; readonly reason: string }
  | { readonly kind: 'end'; readonly caseCount: number; readonly complaintCount: number }

const port = parentPort
assert(port !== null)
const tell = (news: FuzzNews): void => {
  port.postMessage(news)
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what fuzzKind() gives
const order = workerData as FuzzOrder
const bases = await Promise.all(order.drafts.map(loadBase))
const deadlineMs = performance.now() + order.endMs
let caseCount = 0
let complaintCount = 0
for (let number = order.firstNumber; performance.now() < deadlineMs; number += 1) {
  tell({ kind: 'begin', number })
  caseCount += 1
  try {
    const count = await runCase(order.kind, makeCase(bases, order.seed, number))
    if (count > 0) complaintCount += 1
  } catch (error) {
    tell({
      kind: 'failure',
      number,
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
  }
}
tell({ kind: 'end', caseCount, complaintCount })
