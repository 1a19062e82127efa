const SLASH = 0x2f

/**
 * What entries are sorted by: a directory's entries lie together, in the order of the bytes of their names, and all of
 * what is below a directory before what is below the next. Keys compare as bytes: a slash is the least part of a path,
 * and its end is less still. No path has a zero byte in it.
 */
export function sortKey(parent: Uint8Array, name: Uint8Array): Uint8Array {
  let slashCount = 0
  for (const byte of parent) if (byte === SLASH) slashCount += 1
  const key = new Uint8Array(parent.byteLength + slashCount + 2 + name.byteLength)
  let at = 0
  for (const byte of parent) {
    if (byte === SLASH) {
      key[at + 1] = 1
      at += 2
    } else {
      key[at] = byte
      at += 1
    }
  }
  key.set(name, at + 2)
  return key
}

/** As Buffer.compare() has it, without a Buffer. */
export function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.byteLength, other.byteLength)
  for (let at = 0; at < length; at += 1) {
    const difference = (one[at] ?? 0) - (other[at] ?? 0)
    if (difference !== 0) return difference
  }
  return one.byteLength - other.byteLength
}

export function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.byteLength >= start.byteLength && start.every((byte, index) => byte === bytes[index])
}

/** How many bytes two byte strings have in common from their start. */
export function sharedLength(one: Uint8Array, other: Uint8Array): number {
  const end = Math.min(one.byteLength, other.byteLength)
  let at = 0
  while (at < end && one[at] === other[at]) at += 1
  return at
}

/** The path of a name in a directory; paths have no slash at their start, and the root's is empty. */
export function pathOf(parent: Uint8Array, name: Uint8Array): Uint8Array {
  if (parent.byteLength === 0) return name
  const path = new Uint8Array(parent.byteLength + 1 + name.byteLength)
  path.set(parent)
  path[parent.byteLength] = SLASH
  path.set(name, parent.byteLength + 1)
  return path
}
