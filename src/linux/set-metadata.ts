import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  openSync,
} from 'node:fs'
import { errnoOf } from '../domain/errno.ts'
import { metadataCalls, type AccessedAndModified } from './metadata-calls.ts'

/** What to set; the owner comes first, for to set it takes set-id bits and capabilities away. */
export type Metadata = AccessedAndModified & {
  readonly mode: number
  readonly userId: number
  readonly groupId: number
  readonly attributes: readonly { readonly name: Uint8Array; readonly value: Uint8Array }[]
}

export type MetadataNotKept = {
  readonly what: 'owner' | 'mode' | 'times' | 'attribute'
  readonly reason: string
}

/** A file or folder that is open; or the path of a link or special file, in a folder that is held open. */
export type MetadataTarget =
  | { readonly kind: 'open'; readonly fd: number; readonly isFolder: boolean }
  | { readonly kind: 'link' | 'special'; readonly path: Buffer }

const SET_ID_BITS = 0o6000
/** open(2), the same on x86-64 and arm64; Node has no name for it. */
const O_PATH = 0o10000000
/** What the system may forbid, or the target's file system not have; anything else is a failure of the target. */
const FORBIDDEN: ReadonlySet<string | null> = new Set([
  'EPERM',
  'EACCES',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EINVAL',
  'E2BIG',
  'ERANGE',
])
/** File systems have little room for the attributes of one file; a target that is full says so with the next content. */
const NO_ROOM: ReadonlySet<string | null> = new Set(['ENOSPC', 'EDQUOT'])
const INHERITED = [Buffer.from('system.posix_acl_access'), Buffer.from('system.posix_acl_default')]

/** Sets all that can be set, and says what could not. */
export function setMetadata(target: MetadataTarget, metadata: Metadata): MetadataNotKept[] {
  const notKept: MetadataNotKept[] = []
  const attempt = (what: MetadataNotKept['what'], set: () => void): boolean => {
    try {
      set()
      return true
    } catch (error) {
      const errno = errnoOf(error)
      const hasNoRoom = what === 'attribute' && NO_ROOM.has(errno)
      if (errno === null || !(FORBIDDEN.has(errno) || hasNoRoom)) throw error
      notKept.push({ what, reason: errno })
      return false
    }
  }
  const hasOwner = attempt('owner', () => setOwner(target, metadata))
  // A program that gains somebody's rights must not become one that gains the rights of somebody else.
  const mode = hasOwner ? metadata.mode : metadata.mode & ~SET_ID_BITS
  if (target.kind !== 'link') attempt('mode', () => setMode(target, mode))
  setAttributes(target, metadata, attempt)
  attempt('times', () => setTimes(target, metadata))
  if (metadataCalls() === null)
    notKept.push({ what: 'times', reason: 'only to the microsecond: no native library' })
  return notKept
}

function setOwner(target: MetadataTarget, { userId, groupId }: Metadata): void {
  if (target.kind === 'open') fchownSync(target.fd, userId, groupId)
  else lchownSync(target.path, userId, groupId)
}

/** A mode cannot be set by a path without following a link that somebody may have put there. */
function setMode(target: MetadataTarget, mode: number): void {
  if (target.kind === 'open') {
    fchmodSync(target.fd, mode)
    return
  }
  const fd = openSync(target.path, O_PATH | constants.O_NOFOLLOW)
  try {
    chmodSync(`/proc/self/fd/${fd}`, mode)
  } finally {
    closeSync(fd)
  }
}

function setAttributes(
  target: MetadataTarget,
  metadata: Metadata,
  attempt: (what: 'attribute', set: () => void) => boolean,
): void {
  const calls = metadataCalls()
  const file = target.kind === 'open' ? target.fd : target.path
  if (calls === null) {
    for (const _attribute of metadata.attributes) attempt('attribute', unavailable)
    return
  }
  if (target.kind !== 'link') removeInherited(target, metadata)
  for (const { name, value } of metadata.attributes) {
    attempt('attribute', () => calls.setAttribute(file, name, value))
  }
}

/** A folder of the target may give default access rights to what is made in it. */
function removeInherited(target: MetadataTarget, metadata: Metadata): void {
  const file = target.kind === 'open' ? target.fd : target.path
  const count = target.kind === 'open' && target.isFolder ? 2 : 1
  for (const name of INHERITED.slice(0, count)) {
    if (metadata.attributes.some((attribute) => Buffer.compare(attribute.name, name) === 0)) continue
    try {
      metadataCalls()?.removeAttribute(file, name)
    } catch (error) {
      const isNone = ['ENODATA', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EACCES'].includes(errnoOf(error) ?? '')
      if (!isNone) throw error
    }
  }
}

function setTimes(target: MetadataTarget, { accessed, modified }: Metadata): void {
  const calls = metadataCalls()
  if (calls !== null) {
    calls.setTimes(target.kind === 'open' ? target.fd : target.path, { accessed, modified })
    return
  }
  const seconds = [accessed, modified].map((time) => time.seconds + time.nanoseconds / 1e9)
  const [atime = 0, mtime = 0] = seconds
  if (target.kind === 'open') futimesSync(target.fd, atime, mtime)
  else lutimesSync(target.path, atime, mtime)
}

function unavailable(): never {
  throw Object.assign(new Error('ENOSYS: no native library'), { code: 'ENOSYS' })
}
