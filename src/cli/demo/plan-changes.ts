import { basename, dirname } from 'node:path/posix'
import type { ChosenFile } from './choose-files.ts'

/** What happens to the volume in a day. */
export type PlannedChanges = {
  /** The files that the volume begins with. */
  readonly first: readonly ChosenFile[]
  readonly added: readonly ChosenFile[]
  /** `to` gets the content of another file. */
  readonly rewritten: readonly ChosenFile[]
  readonly removed: readonly ChosenFile[]
}

/** Of all bytes, what comes only with the changes. */
const NEW_SHARE = 0.07
/** Small files are what changes from day to day. */
const NEW_FILE_MAX_BYTES = 4 * 1024 * 1024
/** What goes makes room for what comes: changes are scattered over the volume, as on one in use. */
const REMOVED_EVERY = 16
/** Where the files go that come. */
export const ADDED_FOLDER = 'new'

/** Divides the chosen files: most are there from the beginning, the others are written into the volume later. */
export function planChanges(chosen: readonly ChosenFile[]): PlannedChanges {
  const first: ChosenFile[] = []
  const later: ChosenFile[] = []
  let laterBytes = 0
  let allBytes = 0
  for (const file of chosen) {
    allBytes += file.sizeBytes
    const isLater =
      file.sizeBytes > 0 && file.sizeBytes <= NEW_FILE_MAX_BYTES && laterBytes < allBytes * NEW_SHARE
    if (isLater && first.length > 0) {
      later.push(file)
      laterBytes += file.sizeBytes
    } else first.push(file)
  }
  const contents = later.filter((_, at) => at % 2 === 0).slice(0, Math.floor(first.length / 2))
  // Spread over the volume, at even places; those that go are at odd ones.
  const step = Math.max(2, 2 * Math.floor(first.length / (2 * Math.max(1, contents.length))))
  const rewritten = contents.flatMap((content, at) => {
    const target = first[at * step]
    return target === undefined ? [] : [{ ...content, to: target.to }]
  })
  return {
    first,
    added: later.filter((_, at) => at % 2 === 1),
    rewritten,
    removed: first.filter((_, at) => at % REMOVED_EVERY === REMOVED_EVERY - 1),
  }
}

/** The same as requests of debugfs, one a line. */
export function debugfsRequests(changes: PlannedChanges): string[] {
  return [
    ...changes.removed.map((file) => `rm /${file.to}`),
    ...changes.rewritten.flatMap((file) => [
      `rm /${file.to}`,
      `cd /${dirname(file.to)}`,
      `write ${file.from} ${basename(file.to)}`,
    ]),
    // It makes a folder where it is, whatever the path begins with.
    'cd /',
    `mkdir ${ADDED_FOLDER}`,
    `cd /${ADDED_FOLDER}`,
    ...changes.added.map((file, at) => `write ${file.from} ${at}-${basename(file.to)}`),
  ]
}
