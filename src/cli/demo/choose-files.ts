import { constants, type Dirent } from 'node:fs'
import { access, lstat, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** A file of this machine, and its path inside the volume. */
export type ChosenFile = { readonly from: string; readonly to: string; readonly sizeBytes: number }

/** One huge file would not be a mix. */
const FILE_SIZE_MAX_BYTES = 32 * 1024 * 1024
/** Most files of a system are small: one in so many is taken, or it would take longer to copy than to back up. */
const SMALL_FILE_BYTES = 16 * 1024
const SMALL_FILES_TAKEN = 16
/** The words of debugfs are cut at blanks and quotes: other names are left out. */
const PLAIN_NAME = /^[A-Za-z0-9_+@.,:-]+$/

/**
 * Readable files of this machine, from several folders in turn so that each gives about as many bytes, until there
 * are `sizeBytes` or `count`.
 */
export async function chooseFiles(
  folders: readonly string[],
  limit: { readonly sizeBytes: number; readonly count: number },
  signal: AbortSignal,
): Promise<ChosenFile[]> {
  const walks = folders.map((folder) => ({ files: filesIn(folder, basename(folder)), givenBytes: 0 }))
  const open = new Set(walks)
  const chosen: ChosenFile[] = []
  let chosenBytes = 0
  let smallCount = 0
  while (open.size > 0 && chosenBytes < limit.sizeBytes && chosen.length < limit.count) {
    signal.throwIfAborted()
    const poorest = [...open].reduce((least, walk) => (walk.givenBytes < least.givenBytes ? walk : least))
    const next = await poorest.files.next()
    if (next.done === true) {
      open.delete(poorest)
      continue
    }
    if (next.value.sizeBytes < SMALL_FILE_BYTES && smallCount++ % SMALL_FILES_TAKEN !== 0) continue
    chosen.push(next.value)
    poorest.givenBytes += next.value.sizeBytes
    chosenBytes += next.value.sizeBytes
  }
  return chosen
}

/** Files only, in the order of their names; what cannot be read is passed over. */
async function* filesIn(folder: string, to: string): AsyncGenerator<ChosenFile, undefined> {
  for (const entry of await entriesOf(folder)) {
    if (!PLAIN_NAME.test(entry.name)) continue
    const from = join(folder, entry.name)
    const path = `${to}/${entry.name}`
    if (entry.isDirectory()) yield* filesIn(from, path)
    if (!entry.isFile()) continue
    const sizeBytes = await readableSize(from)
    if (sizeBytes !== null && sizeBytes <= FILE_SIZE_MAX_BYTES) yield { from, to: path, sizeBytes }
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    return []
  }
}

async function readableSize(path: string): Promise<number | null> {
  try {
    await access(path, constants.R_OK)
    return (await lstat(path)).size
  } catch {
    return null
  }
}
