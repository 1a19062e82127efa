import { Worker } from 'node:worker_threads'

import { loadBase, type BaseDraft, type Kind } from './base.ts'
import { writeCase } from './case-file.ts'
import type { FuzzNews, FuzzOrder } from './fuzz-worker.ts'
import { makeCase } from './make-case.ts'

/** A case that takes longer is in a loop that nothing in it ends. */
const HANG_MS = 60_000
const HEAP_MB_MAX = 256
const FAILURES_MAX = 20

export type FuzzResult = {
  readonly caseCount: number
  /** Cases in which something was noticed. */
  readonly complaintCount: number
  readonly failures: readonly { readonly number: number; readonly reason: string; readonly file: string }[]
}

export type FuzzOptions = {
  readonly kind: Kind
  readonly drafts: readonly BaseDraft[]
  readonly seed: number
  readonly ms: number
  /** Where failing cases are written to, each as a file of this name and its number. */
  readonly casePath: string
}

/** Damages images of one kind and reads them, in a worker thread, so that a case that never ends can be ended. */
export async function fuzzKind(options: FuzzOptions): Promise<FuzzResult> {
  const failures: { number: number; reason: string; file: string }[] = []
  const deadlineMs = performance.now() + options.ms
  let caseCount = 0
  let complaintCount = 0
  let firstNumber = 0
  while (failures.length < FAILURES_MAX) {
    const endMs = deadlineMs - performance.now()
    if (endMs <= 0) break
    const round = await runWorker({ ...options, endMs, firstNumber })
    for (const { number, reason } of round.failures) {
      failures.push({ number, reason, file: await saveCase(options, number, reason) })
    }
    caseCount += round.caseCount
    complaintCount += round.complaintCount
    firstNumber = round.nextNumber
  }
  return { caseCount, complaintCount, failures }
}

type Round = {
  caseCount: number
  complaintCount: number
  nextNumber: number
  readonly failures: { number: number; reason: string }[]
}

async function runWorker(order: FuzzOrder): Promise<Round> {
  const { kind, drafts, seed, firstNumber, endMs } = order
  const worker = new Worker(new URL('fuzz-worker.ts', import.meta.url), {
    workerData: { kind, drafts, seed, firstNumber, endMs } satisfies FuzzOrder,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  })
  const round: Round = { caseCount: 0, complaintCount: 0, nextNumber: firstNumber, failures: [] }
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const crash = (reason: string): void => {
    round.failures.push({ number: Math.max(firstNumber, round.nextNumber - 1), reason })
    resolve(undefined)
  }
  const hang = (): void => crash(`it takes more than ${HANG_MS} ms`)
  let timer = setTimeout(hang, HANG_MS)
  worker.on('message', (news: FuzzNews) => {
    switch (news.kind) {
      case 'begin':
        clearTimeout(timer)
        timer = setTimeout(hang, HANG_MS)
        round.nextNumber = news.number + 1
        round.caseCount += 1
        break
      case 'failure':
        round.failures.push(news)
        if (round.failures.length >= FAILURES_MAX) resolve(undefined)
        break
      case 'end':
        round.complaintCount = news.complaintCount
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
  { kind, drafts, seed, casePath }: FuzzOptions,
  number: number,
  reason: string,
): Promise<string> {
  const path = `${casePath}-${number}.json`
  const bases = await Promise.all(drafts.map(loadBase))
  writeCase(path, { kind, images: makeCase(bases, seed, number) }, reason)
  return path
}
