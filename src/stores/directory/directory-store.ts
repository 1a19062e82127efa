import { randomBytes } from 'node:crypto'
import { link, mkdir, open, opendir, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import assert from 'node:assert/strict'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { errnoOf } from '../../domain/errno.ts'
import { isStoreName, type Store } from '../../repository/store.ts'
import { OpenFiles } from './open-files.ts'
import { storeFailure } from './store-failure.ts'
import { writeFileDurably } from './write-file-durably.ts'

/** Files are written here and then linked to their names. */
const TEMPORARY = 'temporary'

export type DirectoryStoreOptions = {
  /** Temporary files are named after their writer, so that those of a dead one can be told and removed. */
  readonly writerId?: string
}

/** A store in a folder of this machine, or of a network file system. */
export class DirectoryStore implements Store {
  readonly description: string
  /** Temporary files are named after it. */
  readonly writerId: string
  readonly #files = new OpenFiles()
  readonly #folders = new Set<string>()
  readonly #unsynced = new Set<string>()
  #temporaryCount = 0
  #flushing: Promise<void> = Promise.resolve()

  constructor(path: string, options: DirectoryStoreOptions = {}) {
    this.description = path
    this.writerId = options.writerId ?? 'single'
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    const path = this.#pathOf(name)
    await this.#guard({ verb: 'write', path }, async () => {
      const temporary = await this.#writeTemporary(bytes)
      try {
        await this.#makeFolder(dirname(path))
        await linkOrRename(temporary, path)
      } finally {
        await rm(temporary, { force: true })
      }
      this.#unsynced.add(dirname(path))
    })
  }

  async replace(name: string, bytes: Uint8Array): Promise<void> {
    const path = this.#pathOf(name)
    await this.#guard({ verb: 'write', path }, async () => {
      const temporary = await this.#writeTemporary(bytes)
      try {
        await this.#makeFolder(dirname(path))
        await rename(temporary, path)
        this.#files.forget(path)
      } finally {
        await rm(temporary, { force: true })
      }
      this.#unsynced.add(dirname(path))
    })
  }

  async get(name: string, limitBytes: number): Promise<Uint8Array> {
    const path = this.#pathOf(name)
    return await this.#guard({ verb: 'read', path }, async () => {
      await using file = await open(path, 'r')
      const { size } = await file.stat()
      if (size > limitBytes) {
        const message = `Cannot read "${path}": it has ${size} bytes, at most ${limitBytes} are expected`
        throw new BackupError(ErrorCode.StoreFailed, message, { data: { path, sizeBytes: size } })
      }
      return new Uint8Array(await file.readFile())
    })
  }

  async readInto(name: string, target: Uint8Array, offset: number): Promise<void> {
    const path = this.#pathOf(name)
    await this.#guard({ verb: 'read', path }, async () => {
      using file = await this.#files.open(path)
      let at = 0
      while (at < target.byteLength) {
        const { bytesRead } = await file.handle.read(target, at, target.byteLength - at, offset + at)
        if (bytesRead === 0) {
          const message = `Cannot read "${path}": it ends at ${offset + at}, ${target.byteLength} bytes from ${offset} on are needed`
          throw new BackupError(ErrorCode.StoreFailed, message, {
            data: { path, offset, length: target.byteLength },
          })
        }
        at += bytesRead
      }
    })
  }

  async sizeOf(name: string): Promise<number | null> {
    const path = this.#pathOf(name)
    return await this.#guard({ verb: 'look at', path }, async () => {
      try {
        return (await stat(path)).size
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return null
        throw error
      }
    })
  }

  async *list(prefix: string): AsyncGenerator<readonly string[]> {
    const folder = join(this.description, prefix)
    const names: string[] = []
    const folders: string[] = []
    try {
      for await (const entry of await opendir(folder)) {
        const name = `${prefix}${entry.name}`
        if (entry.isDirectory()) folders.push(`${name}/`)
        else if (isStoreName(name)) names.push(name)
      }
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw storeFailure(error, { verb: 'list', path: folder })
    }
    if (names.length > 0) yield names
    for (const inner of folders) yield* this.list(inner)
  }

  async delete(name: string): Promise<void> {
    const path = this.#pathOf(name)
    await this.#guard({ verb: 'remove', path }, () => rm(path, { force: true }))
    this.#files.forget(path)
    this.#unsynced.add(dirname(path))
  }

  /** One after the other: a folder that another call is about to sync is not durable yet. */
  async flush(): Promise<void> {
    const flushing = this.#flushing.then(() => this.#syncFolders())
    this.#flushing = flushing.catch(ignore)
    await flushing
  }

  /** Removes the temporary files of a writer that is known to be dead. */
  async removeTemporariesOf(writerId: string): Promise<void> {
    const path = join(this.description, TEMPORARY)
    await this.#guard({ verb: 'clean', path }, async () => {
      const names = await readdir(path).catch(() => [])
      const dead = names.filter((name) => name.startsWith(`${writerId}-`))
      for (const name of dead) await rm(join(path, name), { force: true })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files[Symbol.asyncDispose]()
  }

  async #syncFolders(): Promise<void> {
    for (const path of this.#unsynced) {
      this.#unsynced.delete(path)
      try {
        await this.#guard({ verb: 'sync', path }, () => syncFolder(path))
      } catch (error) {
        this.#unsynced.add(path)
        throw error
      }
    }
  }

  #pathOf(name: string): string {
    assert(isStoreName(name), `not a store name: ${name}`)
    return join(this.description, name)
  }

  async #writeTemporary(bytes: Uint8Array): Promise<string> {
    const folder = join(this.description, TEMPORARY)
    await this.#makeFolder(folder)
    this.#temporaryCount += 1
    const unique = `${this.writerId}-${randomBytes(6).toString('hex')}-${this.#temporaryCount}`
    const path = join(folder, unique)
    try {
      await writeFileDurably(path, bytes)
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
    return path
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return
    const first = await mkdir(folder, { recursive: true, mode: 0o700 })
    if (first !== undefined) this.#unsynced.add(dirname(first)).add(dirname(folder))
    this.#folders.add(folder)
  }

  async #guard<T>(action: { verb: string; path: string }, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw storeFailure(error, action)
    }
  }
}

/** A link refuses to replace what is there; file systems that have no links get the next best thing. */
async function linkOrRename(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
    await unlink(from)
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errnoOf(error) ?? '')) throw error
    const taken = await stat(to).then(
      () => true,
      () => false,
    )
    if (taken) throw Object.assign(new Error('file exists'), { code: 'EEXIST' })
    await rename(from, to)
  }
}

async function syncFolder(path: string): Promise<void> {
  try {
    await using folder = await open(path, 'r')
    await folder.sync()
  } catch (error) {
    // Some network file systems cannot sync a folder; their names are as durable as they make them. A folder that
    // is not there has no names.
    if (!['EINVAL', 'ENOTSUP', 'EBADF', 'ENOENT'].includes(errnoOf(error) ?? '')) throw error
  }
}

function ignore(): void {}
