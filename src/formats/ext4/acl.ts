// Access control lists, as ext4 keeps them and as the kernel hands them out: both little-endian, the first without the
// ids that say nothing. Known from the kernel's "ext4 Data Structures and Algorithms", "POSIX ACLs", and acl(5).
import { FormatError, type StructurePlace } from '../format-error.ts'

const STORED_VERSION = 1
const SHOWN_VERSION = 2
const HEADER_SIZE = 4
const SHORT_ENTRY_SIZE = 4
const LONG_ENTRY_SIZE = 8
const SHOWN_ENTRY_SIZE = 8
const NO_ID = 0xffffffff

const Tag = { OwningUser: 1, User: 2, OwningGroup: 4, Group: 8, Mask: 16, Other: 32 } as const
const TAGS: ReadonlySet<number> = new Set(Object.values(Tag))

/** The stored list as the value of `system.posix_acl_access` or `system.posix_acl_default`. */
export function showAcl(stored: Uint8Array, place: StructurePlace): Uint8Array {
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
  const version = stored.byteLength >= HEADER_SIZE ? view.getUint32(0, true) : null
  if (version !== STORED_VERSION) {
    throw new FormatError(place, `version of its ACL is ${version}, expected ${STORED_VERSION}`)
  }
  const countMax = Math.floor((stored.byteLength - HEADER_SIZE) / SHORT_ENTRY_SIZE)
  const shown = new DataView(new ArrayBuffer(HEADER_SIZE + countMax * SHOWN_ENTRY_SIZE))
  shown.setUint32(0, SHOWN_VERSION, true)
  let from = HEADER_SIZE
  let to = HEADER_SIZE
  while (from < stored.byteLength) {
    const tag = from + SHORT_ENTRY_SIZE <= stored.byteLength ? view.getUint16(from, true) : 0
    const hasId = tag === Tag.User || tag === Tag.Group
    const next = from + (hasId ? LONG_ENTRY_SIZE : SHORT_ENTRY_SIZE)
    if (!TAGS.has(tag) || next > stored.byteLength) {
      throw new FormatError(place, `its ACL of ${stored.byteLength} bytes has tag ${tag} at byte ${from}`)
    }
    shown.setUint16(to, tag, true)
    shown.setUint16(to + 2, view.getUint16(from + 2, true), true)
    shown.setUint32(to + 4, hasId ? view.getUint32(from + 4, true) : NO_ID, true)
    from = next
    to += SHOWN_ENTRY_SIZE
  }
  return new Uint8Array(shown.buffer, 0, to).slice()
}
