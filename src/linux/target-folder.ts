import assert from 'node:assert/strict'
import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  write,
  writeSync,
  type BigIntStats,
} from 'node:fs'
import { promisify } from 'node:util'
import { errnoOf } from '../domain/errno.ts'
import { metadataCalls } from './metadata-calls.ts'
import { setMetadata, type Metadata, type MetadataNotKept } from './set-metadata.ts'

const writeAsync = promisify(write)
/** Below this, handing a write to another thread costs more than the write. */
const SYNC_WRITE_BYTES_MAX = 64 * 1024
const NEW_FILE_MODE = 0o600
const NEW_FOLDER_MODE = 0o700
const SLASH = 0x2f

export type FolderEntry = { readonly kind: 'file' | 'directory' | 'other'; readonly identity: string }

export type SpecialFileKind = 'block-device' | 'character-device' | 'fifo' | 'socket'
const KIND_BITS: Readonly<Record<SpecialFileKind, number>> = {
  'block-device': constants.S_IFBLK,
  'character-device': constants.S_IFCHR,
  fifo: constants.S_IFIFO,
  socket: constants.S_IFSOCK,
}

/** Opens a folder that a person named: links on the way to it are theirs and are followed. */
export function openTargetFolder(path: string): LocalTargetFolder {
  return new LocalTargetFolder(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY))
}

/**
 * A folder that is held open. The kernel resolves `/proc/self/fd/N/NAME` from the open folder and not from its path,
 * and the one name behind it is never followed: whoever moves folders or puts links there meanwhile leads nothing
 * elsewhere.
 */
export class LocalTargetFolder implements Disposable {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  lookUp(name: Uint8Array): FolderEntry | null {
    let found: BigIntStats
    try {
      found = lstatSync(this.#path(name), { bigint: true })
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null
      throw error
    }
    const kind = found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other'
    return { kind, identity: `${found.dev}:${found.ino}` }
  }

  openFolder(name: Uint8Array): LocalTargetFolder {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
    return new LocalTargetFolder(openSync(this.#path(name), flags))
  }

  makeFolder(name: Uint8Array): LocalTargetFolder {
    mkdirSync(this.#path(name), NEW_FOLDER_MODE)
    return this.openFolder(name)
  }

  makeFile(name: Uint8Array): LocalTargetFile {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
    return new LocalTargetFile(openSync(this.#path(name), flags, NEW_FILE_MODE))
  }

  makeLink(name: Uint8Array, target: Uint8Array): void {
    symlinkSync(Buffer.from(target), this.#path(name))
  }

  makeSpecial(
    name: Uint8Array,
    file: { kind: SpecialFileKind; device: { major: number; minor: number } | null },
  ): void {
    const calls = metadataCalls()
    if (calls === null) throw Object.assign(new Error('ENOSYS: no native library'), { code: 'ENOSYS' })
    const mode = KIND_BITS[file.kind] | NEW_FILE_MODE
    calls.makeSpecial(this.#path(name), mode, file.device ?? { major: 0, minor: 0 })
  }

  makeHardLink(name: Uint8Array, existing: { folder: unknown; name: Uint8Array }): void {
    assert(existing.folder instanceof LocalTargetFolder)
    linkSync(existing.folder.#path(existing.name), this.#path(name))
  }

  setMetadataOf(name: Uint8Array, metadata: Metadata): MetadataNotKept[] {
    const path = this.#path(name)
    const isLink = lstatSync(path).isSymbolicLink()
    return setMetadata({ kind: isLink ? 'link' : 'special', path }, metadata)
  }

  setMetadata(metadata: Metadata): MetadataNotKept[] {
    return setMetadata({ kind: 'open', fd: this.#fd, isFolder: true }, metadata)
  }

  rename(from: Uint8Array, to: Uint8Array): void {
    renameSync(this.#path(from), this.#path(to))
  }

  remove(name: Uint8Array): void {
    try {
      unlinkSync(this.#path(name))
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }

  sync(): void {
    const calls = metadataCalls()
    if (calls === null) fsyncSync(this.#fd)
    else calls.syncFileSystem(this.#fd)
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }

  #path(name: Uint8Array): Buffer {
    const isOneName = name.byteLength > 0 && !name.includes(SLASH) && !name.includes(0)
    const text = name.byteLength <= 2 ? Buffer.from(name).toString('latin1') : ''
    assert(isOneName && text !== '.' && text !== '..', 'a name in a folder')
    return Buffer.concat([Buffer.from(`/proc/self/fd/${this.#fd}/`), name])
  }
}

/** A file that is being written. */
export class LocalTargetFile implements Disposable {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    let done = 0
    while (done < bytes.byteLength) {
      const length = bytes.byteLength - done
      if (length <= SYNC_WRITE_BYTES_MAX) done += writeSync(this.#fd, bytes, done, length, offset + done)
      else done += (await writeAsync(this.#fd, bytes, done, length, offset + done)).bytesWritten
    }
  }

  setSize(sizeBytes: number): void {
    ftruncateSync(this.#fd, sizeBytes)
  }

  setMetadata(metadata: Metadata): MetadataNotKept[] {
    return setMetadata({ kind: 'open', fd: this.#fd, isFolder: false }, metadata)
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}
