import { startThread, ThreadCaller, type Thread } from '../linux/thread-calls.ts'
import type { WorkerSetUp } from './lane-messages.ts'

const ENTRY = new URL('./worker.js', import.meta.url)

/** Threads that were started before their work was known. */
const spares: Thread[] = []

/**
 * Starts threads that the next `LaneThreads` will take: they load their code while the main thread still derives
 * a key from the password and reads the index. Those that nobody took end with the returned object, when they have
 * loaded: one that is stopped while it loads native code takes the whole process with it.
 */
export function startSpareThreads(count: number): AsyncDisposable {
  const started = Array.from({ length: count }, () => startThread(ENTRY))
  spares.push(...started)
  return {
    async [Symbol.asyncDispose]() {
      const left = started.filter((thread) => spares.includes(thread))
      spares.splice(0, spares.length, ...spares.filter((thread) => !left.includes(thread)))
      await Promise.all(
        left.map(async ({ worker, loaded }) => {
          await loaded
          await worker.terminate()
        }),
      )
    },
  }
}

/** Threads that do the same work; a request goes to the one that has the least to do. */
export class LaneThreads<Request, Result, Event> implements AsyncDisposable {
  readonly #threads: readonly ThreadCaller<Request, Result, Event>[]

  constructor(count: number, setUp: WorkerSetUp, onEvent: (event: Event) => void) {
    this.#threads = Array.from({ length: count }, () => {
      const thread = spares.shift() ?? startThread(ENTRY)
      return new ThreadCaller<Request, Result, Event>(thread, { setUp, onEvent })
    })
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
