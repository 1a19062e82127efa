import { Worker } from 'node:worker_threads'
import type { ProgressListener } from '../../domain/progress.ts'
import type { HashMessage } from './serve-hash.ts'

const ENTRY = new URL('./hash-thread.js', import.meta.url)

/** The SHA-256 of each file, in hexadecimal, each in a thread of its own. `totalBytes` is for the progress. */
export async function hashFiles(
  paths: readonly string[],
  totalBytes: number,
  run: { readonly progress: ProgressListener; readonly signal: AbortSignal },
): Promise<string[]> {
  run.signal.throwIfAborted()
  let doneBytes = 0
  const onRead = (readBytes: number): void => {
    doneBytes += readBytes
    run.progress({ event: 'bytes', doneBytes, totalBytes })
  }
  const workers = paths.map((path) => new Worker(ENTRY, { workerData: path }))
  const stop = (): void => {
    for (const worker of workers) void worker.terminate()
  }
  run.signal.addEventListener('abort', stop, { once: true })
  try {
    const results = await Promise.allSettled(workers.map((worker) => hashOf(worker, onRead)))
    run.signal.throwIfAborted()
    return results.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
  } finally {
    run.signal.removeEventListener('abort', stop)
  }
}

async function hashOf(worker: Worker, onRead: (readBytes: number) => void): Promise<string> {
  return await new Promise((resolve, reject) => {
    worker.on('message', (message: HashMessage) => {
      if ('sha256' in message) resolve(message.sha256)
      else onRead(message.readBytes)
    })
    worker.on('error', reject)
    worker.on('exit', (code) => reject(new Error(`the thread that hashes a file ended with code ${code}`)))
  })
}
