import { BackupError, ErrorCode } from '../../src/domain/backup-error.ts'
import type { Store } from '../../src/repository/store.ts'

/**
 * How an operation fails.
 *
 * - `full`: a write finds no space, and so does every later one; reads and deletions go on.
 * - `failed`: the one operation fails, as with EIO, and has no effect.
 * - `torn`: a write fails and leaves half of its bytes under the right name, as a disk that lies leaves after a power
 *   cut; other operations fail as with `failed`.
 * - `late`: a write or deletion has its effect and fails all the same, as when the answer of a server is lost.
 */
export type FailureKind = 'full' | 'failed' | 'torn' | 'late'

export type FailingStore = Store & {
  /** Operations begun so far. */
  readonly operationCount: number
}

type Operation = {
  readonly name: string
  readonly work: () => Promise<void>
  /** What is left behind when it is torn. */
  readonly tear: () => Promise<void>
}

/** A store whose operation number `failingAt`, counted from 0, fails. */
export function failingStore(
  inner: Store,
  failure: { readonly kind: FailureKind; readonly failingAt: number },
): FailingStore {
  let count = 0
  const isDue = (): boolean => {
    const number = count
    count += 1
    return number === failure.failingAt || (failure.kind === 'full' && number > failure.failingAt)
  }
  async function read<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (isDue() && failure.kind !== 'full') throw ioFailure(name)
    return await work()
  }
  async function write(operation: Operation): Promise<void> {
    if (!isDue()) return await operation.work()
    if (failure.kind === 'full')
      throw new BackupError(ErrorCode.StoreFull, `Cannot write "${operation.name}": full`)
    if (failure.kind === 'torn') await operation.tear()
    if (failure.kind === 'late') await operation.work()
    throw ioFailure(operation.name)
  }
  return {
    description: inner.description,
    get operationCount() {
      return count
    },
    put: (name, bytes) =>
      write({ name, work: () => inner.put(name, bytes), tear: () => inner.put(name, half(bytes)) }),
    replace: (name, bytes) =>
      write({ name, work: () => inner.replace(name, bytes), tear: () => inner.replace(name, half(bytes)) }),
    flush: () => write({ name: 'flush', work: () => inner.flush(), tear: () => Promise.resolve() }),
    async delete(name) {
      if (!isDue() || failure.kind === 'full') return await inner.delete(name)
      if (failure.kind === 'late') await inner.delete(name)
      throw ioFailure(name)
    },
    get: (name, limitBytes) => read(name, () => inner.get(name, limitBytes)),
    readInto: (name, target, offset) => read(name, () => inner.readInto(name, target, offset)),
    sizeOf: (name) => read(name, () => inner.sizeOf(name)),
    async *list(prefix) {
      yield* await read(prefix, () => Promise.resolve(inner.list(prefix)))
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
}

function half(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.byteLength / 2)
}

function ioFailure(name: string): BackupError {
  return new BackupError(ErrorCode.StoreFailed, `Cannot use "${name}": the file system reports EIO`)
}
