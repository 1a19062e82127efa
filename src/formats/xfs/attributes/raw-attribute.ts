import type { ExtendedAttribute } from '../../file-system.ts'
import { attributeValue, systemName } from './access-control-list.ts'

/** An attribute as it lies on disk: its namespace is in flags. */
export type RawAttribute = {
  readonly flags: number
  readonly name: Uint8Array
  readonly value: Uint8Array
}

export const AttributeFlag = {
  /** The value is beside the name; only of attributes in blocks. */
  Local: 0x01,
  Root: 0x02,
  Secure: 0x04,
  /** A link to a directory that has the file: bookkeeping of the file system that no program sees. */
  Parent: 0x08,
  /** It was being written when the system stopped; it is not there yet. */
  Incomplete: 0x80,
} as const

const encoder = new TextEncoder()
const PREFIX = {
  user: encoder.encode('user.'),
  trusted: encoder.encode('trusted.'),
  security: encoder.encode('security.'),
}

/** Whether programs can see it. */
export function isVisible(flags: number): boolean {
  return (flags & (AttributeFlag.Parent | AttributeFlag.Incomplete)) === 0
}

/** As the kernel shows it to root, access control lists in the form of `system.posix_acl_access` alone. */
export function shownAttribute({ flags, name, value }: RawAttribute): ExtendedAttribute {
  if ((flags & AttributeFlag.Secure) !== 0) return { name: joined(PREFIX.security, name), value }
  if ((flags & AttributeFlag.Root) === 0) return { name: joined(PREFIX.user, name), value }
  const listName = systemName(name)
  const list = listName === null ? null : attributeValue(value)
  if (listName !== null && list !== null) return { name: listName, value: list }
  return { name: joined(PREFIX.trusted, name), value }
}

function joined(prefix: Uint8Array, name: Uint8Array): Uint8Array {
  const whole = new Uint8Array(prefix.byteLength + name.byteLength)
  whole.set(prefix)
  whole.set(name, prefix.byteLength)
  return whole
}
