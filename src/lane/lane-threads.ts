import { ThreadCaller } from '../linux/thread-calls.ts'
import type { WorkerSetUp } from './lane-messages.ts'

const ENTRY = new URL('./worker.js', import.meta.url)

/** Threads that do the same work; a request goes to the one that has the least to do. */
export class LaneThreads<Request, Result, Event> implements AsyncDisposable {
  readonly #threads: readonly ThreadCaller<Request, Result, Event>[]

  constructor(count: number, setUp: WorkerSetUp, onEvent: (event: Event) => void) {
    const options = { workerData: setUp, onEvent }
    this.#threads = Array.from(
      { length: count },
      () => new ThreadCaller<Request, Result, Event>(ENTRY, options),
    )
  }

  async call(request: Request): Promise<Result> {
    const [first, ...others] = this.#threads
    if (first === undefined) throw new RangeError('there are no lanes')
    const idlest = others.reduce(
      (least, thread) => (thread.pendingCount < least.pendingCount ? thread : least),
      first,
    )
    return await idlest.call(request)
  }

  /** Asks every thread. */
  async callAll(request: Request): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.call(request)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()))
  }
}
