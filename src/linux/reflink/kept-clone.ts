import { constants } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import type { Clone } from '../../domain/file-clone.ts'
import type { Range } from '../../domain/range.ts'
import { DIRECT_ALIGNMENT_BYTES } from '../aligned-memory.ts'
import { cloneCalls, InodeFlag, type CloneCalls } from '../clone-calls.ts'
import { dataRangesOf } from '../data-ranges.ts'
import { deviceNumberOf } from '../device-number.ts'
import { ENOSYS, errnoOf } from '../../domain/errno.ts'
import { fiemapOf } from '../fiemap.ts'
import { metadataCalls } from '../metadata-calls.ts'
import { sourceImage } from '../source-image.ts'
import { sourceReader } from '../source-reader.ts'
import { systemError } from '../syscalls.ts'
import type { CloneFolder } from './clone-folder.ts'
import { readCloneState } from './clone-state.ts'

/** Only who administers the system can set attributes of this kind. */
const FACTS = 'trusted.icecore'
const FACTS_BYTES_MAX = 64 * 1024
const SECTOR_BYTES = 512
type Place = { readonly path: string; readonly folder: CloneFolder }

/** A file of the folder of clones, open for reading. Takes `plain` over: it is closed with the clone, and when this fails. */
export async function openKeptClone(plain: FileHandle, { path, folder }: Place): Promise<Clone> {
  await using handles = new AsyncDisposableStack()
  handles.use(plain)
  const calls = requireCalls()
  const { size, dev } = await plain.stat({ bigint: true })
  const sizeBytes = Number(size)
  const { handle, direct } = await withDirect(plain, sizeBytes)
  handles.use(handle)
  const reader = sourceReader(handle, { path, sizeBytes, direct })
  const dataRanges = (range: Range, signal: AbortSignal): ReturnType<typeof dataRangesOf> =>
    dataRangesOf(handle.fd, range, signal)
  const owned = handles.move()
  return {
    path,
    folder,
    fd: handle.fd,
    direct,
    image: sourceImage({ sizeBytes, sectorSizeBytes: SECTOR_BYTES, reader, dataRanges }),
    space: `${deviceNumberOf(dev)}${calls.isRealtime(plain.fd) ? ':realtime' : ''}`,
    isMoved: folder.isMoved,
    state: () => readCloneState(plain, calls),
    facts: () => Promise.resolve(calls.attribute(plain.fd, FACTS, FACTS_BYTES_MAX)),
    setFacts: async (facts) => {
      setImmutable(calls, plain.fd, false)
      try {
        setFactsOf(plain.fd, facts)
      } finally {
        setImmutable(calls, plain.fd, true)
      }
      await plain.sync()
    },
    extents: (range, signal) => fiemapOf(plain.fd, range, signal),
    remove: () => remove(plain, { path, folder }, calls),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

export function requireCalls(): CloneCalls {
  const calls = cloneCalls()
  if (calls === null) throw systemError('ioctl', ENOSYS)
  return calls
}

export function setFactsOf(fd: number, facts: Uint8Array): void {
  metadataCalls()?.setAttribute(fd, Buffer.from(FACTS), facts)
}

/** What chattr(1) calls `i`: nobody, root included, can write to it, rename or remove it. */
export function setImmutable(calls: CloneCalls, fd: number, immutable: boolean): void {
  const flags = calls.inodeFlags(fd)
  const wanted = immutable ? flags | InodeFlag.Immutable : flags & ~InodeFlag.Immutable
  if (wanted !== flags) calls.setInodeFlags(fd, wanted)
}

/** The end of a file cannot be read directly when it is no whole page: then nothing is. */
async function withDirect(
  plain: FileHandle,
  sizeBytes: number,
): Promise<{ readonly handle: FileHandle; readonly direct: boolean }> {
  if (sizeBytes % DIRECT_ALIGNMENT_BYTES !== 0) return { handle: plain, direct: false }
  try {
    const flags = constants.O_RDONLY | constants.O_DIRECT
    return { handle: await open(`/proc/self/fd/${plain.fd}`, flags), direct: true }
  } catch (error) {
    if (errnoOf(error) !== 'EINVAL') throw error
    return { handle: plain, direct: false }
  }
}

async function remove(handle: FileHandle, { path, folder }: Place, calls: CloneCalls): Promise<void> {
  const { nlink } = await handle.stat()
  if (nlink > 0) {
    setImmutable(calls, handle.fd, false)
    try {
      await unlink(path)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }
  await folder.removeIfEmpty()
}
