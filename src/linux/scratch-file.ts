import { constants } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { errnoOf } from '../domain/errno.ts'

/** asm-generic/fcntl.h; the rest of it is O_DIRECTORY, whose number differs between machines. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY
const BUFFER_BYTES = 1024 * 1024

/** A file that no folder knows: it goes away with the process, however that ends. */
export type ScratchFile = AsyncDisposable & {
  readonly path: string
  readonly fd: number
  /** Of what was appended. */
  readonly sizeBytes: number
  /** Writes at the end; returns where. What was appended can be read after `flush()`. */
  append(bytes: Uint8Array): Promise<number>
  flush(): Promise<void>
}

/** Opens one in the folder for temporary files. */
export async function openScratchFile(): Promise<ScratchFile> {
  const folder = tmpdir()
  return new Scratch(await writing(folder, () => openUnnamed(folder)), folder)
}

class Scratch implements ScratchFile {
  readonly path: string
  readonly #handle: FileHandle
  readonly #buffer = new Uint8Array(BUFFER_BYTES)
  #buffered = 0
  #written = 0

  constructor(handle: FileHandle, folder: string) {
    this.#handle = handle
    this.path = folder
  }

  get fd(): number {
    return this.#handle.fd
  }

  get sizeBytes(): number {
    return this.#written + this.#buffered
  }

  async append(bytes: Uint8Array): Promise<number> {
    const offset = this.sizeBytes
    if (this.#buffered + bytes.byteLength > BUFFER_BYTES) await this.flush()
    if (bytes.byteLength > BUFFER_BYTES) {
      await this.#write(bytes)
      return offset
    }
    this.#buffer.set(bytes, this.#buffered)
    this.#buffered += bytes.byteLength
    return offset
  }

  async flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#buffered)
    this.#buffered = 0
    await this.#write(bytes)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#handle.close()
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await writing(this.path, async () => {
      for (let done = 0; done < bytes.byteLength;) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.byteLength - done, this.#written)
        done += bytesWritten
        this.#written += bytesWritten
      }
    })
  }
}

async function openUnnamed(folder: string): Promise<FileHandle> {
  try {
    return await open(folder, O_TMPFILE | constants.O_RDWR, 0o600)
  } catch (error) {
    // Not every file system can make one.
    if (!['EOPNOTSUPP', 'EISDIR', 'EINVAL', 'ENOENT'].includes(errnoOf(error) ?? '')) throw error
  }
  const path = join(folder, `icecore-${process.pid}-${process.hrtime.bigint()}`)
  const handle = await open(path, 'wx+', 0o600)
  await unlink(path)
  return handle
}

async function writing<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const code = errnoOf(cause)
    if (code === undefined) throw cause
    const message = `Cannot write temporary file in "${folder}": the system reports ${code}; TMPDIR names another folder`
    throw new BackupError(ErrorCode.TargetWriteFailed, message, { cause, data: { folder } })
  }
}
