/** A name in a directory and what lies above: paths that share their beginning share the memory for it. */
export type PathLink = { readonly parent: PathLink | null; readonly name: Uint8Array }

const SLASH = 0x2f

/** How long the path is that joinPath() makes. */
export function pathSizeBytes(link: PathLink | null): number {
  let size = 0
  for (let at = link; at !== null; at = at.parent) size += at.name.byteLength + (at.parent === null ? 0 : 1)
  return size
}

/** The names from the top down, joined by slashes; empty for null. */
export function joinPath(link: PathLink | null): Uint8Array {
  const path = new Uint8Array(pathSizeBytes(link))
  let end = path.byteLength
  for (let at = link; at !== null; at = at.parent) {
    end -= at.name.byteLength
    path.set(at.name, end)
    if (at.parent === null) break
    end -= 1
    path[end] = SLASH
  }
  return path
}
