// Namespaces of attributes are numbers on disk: the kernel's "ext4 Data Structures and Algorithms", section "Extended
// Attributes", table of name prefixes.

export const AttributeSpace = {
  User: 1,
  AccessAcl: 2,
  DefaultAcl: 3,
  Trusted: 4,
  Security: 6,
  System: 7,
  RichAcl: 8,
  Encryption: 9,
  Hurd: 10,
  Verity: 11,
} as const

const PREFIXES: ReadonlyMap<number, string> = new Map([
  [AttributeSpace.User, 'user.'],
  [AttributeSpace.AccessAcl, 'system.posix_acl_access'],
  [AttributeSpace.DefaultAcl, 'system.posix_acl_default'],
  [AttributeSpace.Trusted, 'trusted.'],
  [AttributeSpace.Security, 'security.'],
  [AttributeSpace.System, 'system.'],
  [AttributeSpace.RichAcl, 'system.richacl'],
  [AttributeSpace.Hurd, 'gnu.'],
])

/** The name as the kernel shows it; null for a namespace that is not known. */
export function fullAttributeName(space: number, name: Uint8Array): Uint8Array | null {
  const prefix = PREFIXES.get(space)
  if (prefix === undefined) return null
  const start = new TextEncoder().encode(prefix)
  const full = new Uint8Array(start.byteLength + name.byteLength)
  full.set(start)
  full.set(name, start.byteLength)
  return full
}
