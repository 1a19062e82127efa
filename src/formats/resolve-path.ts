// From a path to the file it leads to, inside one file system.
import { UnmappedError } from './format-error.ts'
import type { FileNode, FileSystem } from './file-system.ts'
import { findEntry } from './find-entry.ts'

/** As the kernel has it. */
const LINKS_FOLLOWED_MAX = 40
/** Names in a path and in the links that are followed on the way. */
const STEP_COUNT_MAX = 10_000
const SLASH = 0x2f
const DOT = 0x2e

/**
 * The file that a path of names leads to from the root; null when there is none. Symbolic links on the way are
 * followed, inside the file system, which for an absolute one begins at the root; one at the end is the file that is
 * meant. As the kernel has it, `.` and empty names stay, `..` goes up, and from the root nowhere. Throws UnmappedError
 * for more links or names than a path has, FormatError and UnmappedError for what cannot be read on the way.
 */
export async function resolvePath(
  fileSystem: FileSystem,
  path: Uint8Array | readonly Uint8Array[],
  signal: AbortSignal,
): Promise<FileNode | null> {
  const root = await fileSystem.readNode(fileSystem.rootInodeNumber)
  // The directories above, the root first, and where the path led so far.
  const above: FileNode[] = [root]
  const names = (path instanceof Uint8Array ? splitPath(path) : path).toReversed()
  let linkCount = 0
  for (let stepCount = 0; ; stepCount += 1) {
    signal.throwIfAborted()
    if (stepCount > STEP_COUNT_MAX) throw notResolved('long path', `more than ${STEP_COUNT_MAX} names`)
    const name = names.pop()
    const directory = above.at(-1) ?? root
    if (name === undefined) return directory
    if (directory.kind !== 'directory') return null
    if (isStay(name)) continue
    if (isUp(name)) {
      if (above.length > 1) above.pop()
      continue
    }
    const number = await findEntry(fileSystem, { directory, name }, signal)
    if (number === null) return null
    const node = await fileSystem.readNode(number)
    if (node.kind !== 'symlink' || names.length === 0) {
      above.push(node)
      continue
    }
    linkCount += 1
    if (linkCount > LINKS_FOLLOWED_MAX) {
      throw notResolved('loop of symbolic links', `more than ${LINKS_FOLLOWED_MAX} symbolic links`)
    }
    const target = await fileSystem.readSymlink(node)
    if (target[0] === SLASH) above.length = 1
    names.push(...splitPath(target).toReversed())
  }
}

/** The names of a path between its slashes. */
function splitPath(path: Uint8Array): readonly Uint8Array[] {
  const names: Uint8Array[] = []
  let start = 0
  while (start < path.byteLength) {
    const slash = path.indexOf(SLASH, start)
    const end = slash === -1 ? path.byteLength : slash
    if (end > start) names.push(path.subarray(start, end))
    start = end + 1
  }
  return names
}

function isStay(name: Uint8Array): boolean {
  return name.byteLength === 0 || (name.byteLength === 1 && name[0] === DOT)
}

function isUp(name: Uint8Array): boolean {
  return name.byteLength === 2 && name[0] === DOT && name[1] === DOT
}

function notResolved(what: string, found: string): UnmappedError {
  return new UnmappedError(what, `Cannot resolve path: found ${found}`)
}
