import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Store } from '../repository/store.ts'

/** A store in memory: for tests and for trying things out. */
export class MemoryStore implements Store {
  readonly description = 'memory'
  readonly objects = new Map<string, Uint8Array>()

  async put(name: string, bytes: Uint8Array): Promise<void> {
    if (this.objects.has(name)) {
      throw new BackupError(ErrorCode.StoreObjectExists, `Cannot write "${name}": it exists already`)
    }
    await this.replace(name, bytes)
  }

  replace(name: string, bytes: Uint8Array): Promise<void> {
    this.objects.set(name, new Uint8Array(bytes))
    return Promise.resolve()
  }

  get(name: string, limitBytes: number): Promise<Uint8Array> {
    const bytes = this.objects.get(name)
    if (bytes === undefined) {
      return Promise.reject(
        new BackupError(ErrorCode.StoreObjectMissing, `Cannot read "${name}": there is no such object`),
      )
    }
    if (bytes.byteLength > limitBytes) {
      const message = `Cannot read "${name}": it has ${bytes.byteLength} bytes, at most ${limitBytes} are expected`
      return Promise.reject(new BackupError(ErrorCode.StoreFailed, message))
    }
    return Promise.resolve(bytes.slice())
  }

  async readInto(name: string, target: Uint8Array, offset: number): Promise<void> {
    const bytes = await this.get(name, Number.MAX_SAFE_INTEGER)
    if (offset + target.byteLength > bytes.byteLength) {
      const message = `Cannot read "${name}": it ends at ${bytes.byteLength}, ${target.byteLength} bytes from ${offset} on are needed`
      throw new BackupError(ErrorCode.StoreFailed, message)
    }
    target.set(bytes.subarray(offset, offset + target.byteLength))
  }

  sizeOf(name: string): Promise<number | null> {
    return Promise.resolve(this.objects.get(name)?.byteLength ?? null)
  }

  async *list(prefix: string): AsyncGenerator<readonly string[]> {
    await Promise.resolve()
    const names = [...this.objects.keys()].filter((name) => name.startsWith(prefix))
    if (names.length > 0) yield names
  }

  delete(name: string): Promise<void> {
    this.objects.delete(name)
    return Promise.resolve()
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}
