import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clone, UnnamedClone } from '../../domain/file-clone.ts'
import { InodeFlag } from '../clone-calls.ts'
import { errnoOf } from '../../domain/errno.ts'
import type { CloneFolder } from './clone-folder.ts'
import { readCloneState } from './clone-state.ts'
import { openKeptClone, requireCalls, setFactsOf, setImmutable } from './kept-clone.ts'

/** asm-generic/fcntl.h; the rest of it is O_DIRECTORY, whose number differs between machines. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY
const MODE = 0o400
/** Another process may remove the folder, which is empty as long as the clone has no name. */
const ATTEMPT_COUNT = 10

/** Clones an open file. Throws the system's error. */
export async function makeClone(source: FileHandle, folder: CloneFolder): Promise<UnnamedClone> {
  const calls = requireCalls()
  const handle = await openUnnamed(folder)
  await using stack = new AsyncDisposableStack()
  // A folder that was made for this clone alone goes with it.
  stack.defer(() => folder.removeIfEmpty())
  stack.defer(() => handle.close())
  // Btrfs shares no blocks between a file with checksums and one without; the flag is taken on while there are none.
  const flags = calls.inodeFlags(source.fd) & InodeFlag.NoCopyOnWrite
  if (flags !== 0) calls.setInodeFlags(handle.fd, calls.inodeFlags(handle.fd) | flags)
  await calls.clone(handle.fd, source.fd)
  const state = await readCloneState(handle, calls)
  const owned = stack.move()
  return {
    state,
    publish: async (name, facts) => {
      const kept = await publish(handle, { folder, name, facts })
      await owned.disposeAsync()
      return kept
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function openUnnamed(folder: CloneFolder): Promise<FileHandle> {
  for (let attempt = 1; ; attempt += 1) {
    await folder.make()
    try {
      return await open(folder.path, O_TMPFILE | constants.O_RDWR, MODE)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === ATTEMPT_COUNT) throw error
    }
  }
}

type Publication = { readonly folder: CloneFolder; readonly name: string; readonly facts: Uint8Array }

/** The name comes last: what has one is whole, also after the power failed. */
async function publish(handle: FileHandle, { folder, name, facts }: Publication): Promise<Clone> {
  const calls = requireCalls()
  const path = join(folder.path, name)
  setFactsOf(handle.fd, facts)
  for (let attempt = 1; ; attempt += 1) {
    await folder.make()
    try {
      calls.link(handle.fd, path)
      break
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || attempt === ATTEMPT_COUNT) throw error
    }
  }
  const kept = await openKeptClone(await open(path, constants.O_RDONLY | constants.O_NOFOLLOW), {
    path,
    folder,
  })
  try {
    setImmutable(calls, handle.fd, true)
    await handle.sync()
    await folder.sync()
    return kept
  } catch (error) {
    await kept.remove()
    await kept[Symbol.asyncDispose]()
    throw error
  }
}
