import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'

import type { ImageReport } from './check-image.ts'
import type { CorpusEntry } from './manifest.ts'

export type CheckOptions = {
  readonly folder: string
  readonly atOnce: number
  /** An image that takes longer is in an endless loop that nothing else ends. */
  readonly msMax: number
  /** Of JavaScript values, in each worker; a worker that needs more dies. */
  readonly heapMbMax: number
}

export type CheckedImage =
  | { readonly kind: 'report'; readonly report: ImageReport }
  | { readonly kind: 'crash'; readonly path: string; readonly reason: string }

/** Checks images in worker threads, so that what never ends, or needs too much memory, can be ended and named. */
export async function checkImages(
  entries: readonly CorpusEntry[],
  options: CheckOptions,
): Promise<readonly CheckedImage[]> {
  const checked: CheckedImage[] = []
  const queue = [...entries]
  const lane = async (): Promise<void> => {
    while (queue.length > 0) {
      // A worker that crashed is followed by another.
      checked.push(...(await runWorker(queue, options)))
    }
  }
  await Promise.all(Array.from({ length: options.atOnce }, lane))
  return checked
}

async function runWorker(queue: CorpusEntry[], options: CheckOptions): Promise<readonly CheckedImage[]> {
  const checked: CheckedImage[] = []
  const worker = new Worker(new URL('corpus-worker.ts', import.meta.url), {
    workerData: options.folder,
    resourceLimits: { maxOldGenerationSizeMb: options.heapMbMax },
  })
  try {
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      const result = await askWorker(worker, entry, options.msMax)
      checked.push(result)
      if (result.kind === 'crash') break
    }
  } finally {
    await worker.terminate()
  }
  return checked
}

async function askWorker(worker: Worker, entry: CorpusEntry, msMax: number): Promise<CheckedImage> {
  const { promise, resolve } = Promise.withResolvers<CheckedImage>()
  const crash = (reason: string): void => resolve({ kind: 'crash', path: entry.path, reason })
  const onMessage = (report: unknown): void => {
    assert(isReport(report))
    resolve({ kind: 'report', report })
  }
  const onError = (error: unknown): void =>
    crash(error instanceof Error ? (error.stack ?? error.message) : String(error))
  const timer = setTimeout(() => crash(`it takes more than ${msMax} ms`), msMax)
  worker.once('message', onMessage).once('error', onError)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
  worker.postMessage(entry)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    worker.off('message', onMessage).off('error', onError)
  }
}

function isReport(value: unknown): value is ImageReport {
  return typeof value === 'object' && value !== null && 'complaints' in value
}
