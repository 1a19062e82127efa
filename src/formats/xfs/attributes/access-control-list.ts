// XFS keeps POSIX access control lists as attributes of its root namespace, big endian:
//
//   count (4) │ tag (4), id (4), permissions (2), padding (2)
//
// and the kernel shows them as every file system's, little endian (acl(5), linux/posix_acl_xattr.h):
//
//   version 2 (4) │ tag (2), permissions (2), id (4)
//
// Known from "XFS Algorithms & Data Structures", "Extended Attributes", and acl(5).

const NAMES: ReadonlyMap<string, string> = new Map([
  ['SGI_ACL_FILE', 'system.posix_acl_access'],
  ['SGI_ACL_DEFAULT', 'system.posix_acl_default'],
])

const STORED = { headerBytes: 4, entryBytes: 12, id: 4, permissions: 8 }
const SHOWN = { headerBytes: 4, entryBytes: 8, permissions: 2, id: 4, version: 2 }

/** Of users and groups that have a number; the other tags are the owner, the owning group, the mask and the rest. */
const TAGS_WITH_ID: readonly number[] = [0x02, 0x08]
const NO_ID = 0xffff_ffff

/** The name that the kernel shows for a name of the root namespace; null when it is no access control list. */
export function systemName(name: Uint8Array): Uint8Array | null {
  const shown = NAMES.get(new TextDecoder('latin1').decode(name))
  return shown === undefined ? null : new TextEncoder().encode(shown)
}

/** The list as the kernel shows it; null when it is none, and can be kept only as the bytes that it is. */
export function attributeValue(stored: Uint8Array): Uint8Array | null {
  if (stored.byteLength < STORED.headerBytes) return null
  const from = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
  const count = from.getUint32(0)
  // Old kernels stored the list with room for 25 entries; the count says how many there are.
  if (STORED.headerBytes + count * STORED.entryBytes > stored.byteLength) return null
  const shown = new Uint8Array(SHOWN.headerBytes + count * SHOWN.entryBytes)
  const to = new DataView(shown.buffer)
  to.setUint32(0, SHOWN.version, true)
  for (let index = 0; index < count; index += 1) {
    const source = STORED.headerBytes + index * STORED.entryBytes
    const target = SHOWN.headerBytes + index * SHOWN.entryBytes
    const tag = from.getUint32(source)
    to.setUint16(target, tag, true)
    to.setUint16(target + SHOWN.permissions, from.getUint16(source + STORED.permissions), true)
    to.setUint32(
      target + SHOWN.id,
      TAGS_WITH_ID.includes(tag) ? from.getUint32(source + STORED.id) : NO_ID,
      true,
    )
  }
  return shown
}
