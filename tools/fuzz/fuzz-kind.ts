import { Worker } from 'node:worker_threads'

import { loadBase, type BaseDraft, type Kind } from './base.ts'
import { writeCase } from './case-file.ts'
import type { FuzzNews, FuzzOrder } from './fuzz-worker.ts'
import { makeCase, type Recipe } from './make-case.ts'

/** A case that takes longer is in a loop that nothing in it ends. */
const HANG_MS = 30_000
const HEAP_MB_MAX = 256
const FAILURES_MAX = 20

export type FuzzResult = {
  readonly caseCount: number
  /** Cases in which something was noticed. */
  readonly complaintCount: number
  readonly failures: readonly { readonly reason: string; readonly file: string }[]
}

export type FuzzOptions = {
  readonly kind: Kind
  readonly drafts: readonly BaseDraft[]
  /** One after the other, each for its part of the time. */
  readonly seeds: readonly number[]
  /** Of the worker's time, whatever else the machine does. */
  readonly ms: number
  /** Where failing cases are written to, each as a file of this name and its number. */
  readonly casePath: string
  /** The first failure ends it all. Default 20. */
  readonly failuresMax?: number
  /** What Node.js is told for the worker. */
  readonly execArgv?: readonly string[]
}

/** Damages images of one kind and reads them, in a worker thread, so that a case that never ends can be ended. */
export async function fuzzKind(options: FuzzOptions): Promise<FuzzResult> {
  const failures: { reason: string; file: string }[] = []
  const { failuresMax = FAILURES_MAX } = options
  let caseCount = 0
  let complaintCount = 0
  let endMs = options.ms
  while (failures.length < failuresMax && endMs > 0) {
    const round = await runWorker({ ...options, failuresMax, endMs, firstNumber: caseCount })
    for (const { recipe, reason } of round.failures) {
      failures.push({ reason, file: await saveCase(options, recipe, reason) })
    }
    caseCount += round.caseCount
    complaintCount += round.complaintCount
    endMs = round.isEnded ? 0 : endMs - round.workedMs
  }
  return { caseCount, complaintCount, failures }
}

type Round = {
  caseCount: number
  complaintCount: number
  /** Of the worker's time, until its last case began. */
  workedMs: number
  /** False when the worker had to be ended. */
  isEnded: boolean
  readonly failures: { recipe: Recipe; reason: string }[]
}

type RoundOrder = FuzzOrder & { readonly failuresMax: number; readonly execArgv?: readonly string[] }

async function runWorker(order: RoundOrder): Promise<Round> {
  const { kind, drafts, seeds, firstNumber, endMs, failuresMax, execArgv } = order
  const worker = new Worker(new URL('fuzz-worker.ts', import.meta.url), {
    workerData: { kind, drafts, seeds, firstNumber, endMs } satisfies FuzzOrder,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
  })
  const round: Round = { caseCount: 0, complaintCount: 0, workedMs: 0, isEnded: false, failures: [] }
  let last: Recipe = { seed: seeds[0] ?? 0, steps: [firstNumber] }
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const crash = (reason: string): void => {
    round.failures.push({ recipe: last, reason })
    resolve(undefined)
  }
  const hang = (): void => {
    round.workedMs += HANG_MS
    crash(`it takes more than ${HANG_MS} ms`)
  }
  const timer = setTimeout(hang, HANG_MS)
  worker.on('message', (news: FuzzNews) => {
    switch (news.kind) {
      case 'begin':
        timer.refresh()
        last = news.recipe
        round.workedMs = news.workedMs
        round.caseCount += 1
        break
      case 'failure':
        round.failures.push(news)
        if (round.failures.length >= failuresMax) resolve(undefined)
        break
      case 'end':
        round.complaintCount = news.complaintCount
        round.isEnded = true
        resolve(undefined)
    }
  })
  worker.on('error', (error) =>
    crash(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  )
  try {
    await promise
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
  return round
}

async function saveCase(
  { kind, drafts, casePath }: FuzzOptions,
  recipe: Recipe,
  reason: string,
): Promise<string> {
  const path = `${casePath}-${recipe.seed}-${recipe.steps.join('-')}.json`
  const bases = await Promise.all(drafts.map(loadBase))
  writeCase(path, { kind, images: makeCase(bases, recipe).images }, reason)
  return path
}
