/* oxlint-disable unicorn/require-post-message-target-origin -- a port of a thread has no origin */
/* oxlint-disable typescript/no-unsafe-type-assertion, typescript/no-unnecessary-type-parameters -- what crosses is our own, and typed at both ends */
import assert from 'node:assert/strict'
import { parentPort, Worker } from 'node:worker_threads'
import { BackupError, type ErrorCode } from '../domain/backup-error.ts'

/** An error as plain data: a BackupError keeps its code and data on its way between threads. */
type ThrownData =
  | {
      readonly kind: 'backup'
      readonly code: ErrorCode
      readonly message: string
      readonly data: Readonly<Record<string, unknown>>
    }
  | { readonly kind: 'other'; readonly message: string; readonly stack: string }

type Question = { readonly number: number; readonly request: unknown }
type Answer =
  | { readonly type: 'loaded' }
  | { readonly type: 'ready' }
  | { readonly type: 'result'; readonly number: number; readonly result: unknown }
  | { readonly type: 'thrown'; readonly number: number; readonly thrown: ThrownData }
  | { readonly type: 'event'; readonly event: unknown }

type Waiting = { readonly resolve: (value: never) => void; readonly reject: (error: unknown) => void }

/** A thread's data lies in memory of its own making; its heap holds little, and garbage should not pile up in it. */
const THREAD_HEAP = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 256 }

/** A thread, and when it has loaded its code or has ended; until then it is not to be stopped. */
export type Thread = { readonly worker: Worker; readonly loaded: Promise<void> }

/**
 * Calls into a worker thread. `Request`, `Result` and `Event` are plain data that both sides agree on; the thread
 * serves them with `serveCalls`.
 */
export class ThreadCaller<Request, Result, Event> implements AsyncDisposable {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #ready = Promise.withResolvers<void>()
  #number = 0
  #ended: Error | null = null

  /** `thread` was made by `startThread` and has not been told its work yet. */
  constructor({ worker }: Thread, options: { setUp: unknown; onEvent: (event: Event) => void }) {
    this.#worker = worker
    worker.postMessage(options.setUp)
    this.#worker.on('message', (answer: Answer) => {
      if (answer.type === 'ready') this.#ready.resolve()
      else if (answer.type === 'event') options.onEvent(answer.event as Event)
      else if (answer.type !== 'loaded') this.#answer(answer)
    })
    this.#worker.on('error', (error: Error) => this.#end(error))
    this.#worker.on('exit', (code) => this.#end(new Error(`a worker thread ended with code ${code}`)))
  }

  /** Calls made and not answered. */
  get pendingCount(): number {
    return this.#waiting.size
  }

  async call(request: Request): Promise<Result> {
    if (this.#ended !== null) throw this.#ended
    this.#number += 1
    const number = this.#number
    const question: Question = { number, request }
    return await new Promise<Result>((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject })
      this.#worker.postMessage(question)
    })
  }

  /** A thread that is stopped while it loads native code takes the whole process with it: that is waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ready.promise
    this.#worker.removeAllListeners('exit')
    await this.#worker.terminate()
    this.#end(new Error('the worker thread was stopped'))
  }

  #answer(answer: Exclude<Answer, { type: 'loaded' | 'ready' | 'event' }>): void {
    const waiting = this.#waiting.get(answer.number)
    this.#waiting.delete(answer.number)
    if (answer.type === 'result') waiting?.resolve(answer.result as never)
    else waiting?.reject(errorOf(answer.thrown))
  }

  #end(error: Error): void {
    this.#ended ??= error
    this.#ready.resolve()
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
  }
}

/** Starts a thread, which loads its code and then waits to be told its work. */
export function startThread(entry: URL): Thread {
  const worker = new Worker(entry, { resourceLimits: THREAD_HEAP })
  const { promise: loaded, resolve } = Promise.withResolvers<void>()
  worker.once('message', () => resolve())
  worker.once('exit', () => resolve())
  return { worker, loaded }
}

/** In a worker thread that has loaded its code: waits for what the work is, and says when it is ready for it. */
export function onSetUp<SetUp>(begin: (setUp: SetUp) => void): void {
  const port = parentPort
  assert(port !== null)
  port.once('message', (setUp: SetUp) => {
    begin(setUp)
    port.postMessage({ type: 'ready' } satisfies Answer)
  })
  port.postMessage({ type: 'loaded' } satisfies Answer)
}

/** In a worker thread: answers calls, each as soon as it is done. */
export function serveCalls<Request, Result>(serve: (request: Request) => Promise<Result>): void {
  const port = parentPort
  assert(port !== null)
  port.on('message', (question: Question) => {
    serve(question.request as Request).then(
      (result) => port.postMessage({ type: 'result', number: question.number, result } satisfies Answer),
      (error: unknown) =>
        port.postMessage({ type: 'thrown', number: question.number, thrown: dataOf(error) } satisfies Answer),
    )
  })
}

/** In a worker thread: tells the caller something that it did not ask. */
export function emitEvent(event: unknown): void {
  assert(parentPort !== null)
  parentPort.postMessage({ type: 'event', event } satisfies Answer)
}

function dataOf(error: unknown): ThrownData {
  if (error instanceof BackupError)
    return { kind: 'backup', code: error.code, message: error.message, data: error.data }
  const message = error instanceof Error ? error.message : String(error)
  return { kind: 'other', message, stack: error instanceof Error ? (error.stack ?? '') : '' }
}

function errorOf(thrown: ThrownData): Error {
  if (thrown.kind === 'backup') return new BackupError(thrown.code, thrown.message, { data: thrown.data })
  const error = new Error(thrown.message)
  error.stack = thrown.stack
  return error
}
