import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'

const POLL_MS = 20
const SHARED_BYTES = 16
/** In the shared memory: until when it is open, in milliseconds of the monotonic clock; and how many are inside. */
const UNTIL = 0
const INSIDE = 1
const CLOSED = 0n
const GIVEN_UP = -1n

/**
 * Lets threads write only as long as somebody else vouches for where they write. Who comes while it is shut waits; who
 * comes when it was given up fails.
 */
export class WriteGate {
  readonly memory: SharedArrayBuffer
  readonly #words: BigInt64Array

  /** With the memory of another thread's gate it is the same gate. It begins shut. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(SHARED_BYTES)) {
    assert(memory.byteLength === SHARED_BYTES)
    this.memory = memory
    this.#words = new BigInt64Array(memory)
  }

  openUntil(deadlineMs: number): void {
    Atomics.store(this.#words, UNTIL, BigInt(Math.floor(deadlineMs)))
  }

  shut(): void {
    Atomics.store(this.#words, UNTIL, CLOSED)
  }

  giveUp(): void {
    Atomics.store(this.#words, UNTIL, GIVEN_UP)
  }

  /** Waits until nobody is inside any more. To be called when it was shut or given up. */
  async untilEmpty(): Promise<void> {
    while (Atomics.load(this.#words, INSIDE) > 0n) await sleep(POLL_MS)
  }

  /** Throws TARGET_CHANGED when it was given up. */
  async pass(write: () => Promise<void>): Promise<void> {
    for (;;) {
      // First in, then looked: who shuts the gate and finds nobody inside knows that nobody will write.
      Atomics.add(this.#words, INSIDE, 1n)
      try {
        const until = Atomics.load(this.#words, UNTIL)
        if (until === GIVEN_UP) throw givenUp()
        if (BigInt(monotonicMs()) < until) {
          await write()
          return
        }
      } finally {
        Atomics.sub(this.#words, INSIDE, 1n)
      }
      await sleep(POLL_MS)
    }
  }
}

/** The same in all threads of the process, and never set back. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

function givenUp(): BackupError {
  const message = 'Cannot go on writing: the target lies elsewhere now'
  return new BackupError(ErrorCode.TargetChanged, message)
}
