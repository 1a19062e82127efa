import { lstat, readlink } from 'node:fs/promises'
import { dirname, join, normalize, resolve } from 'node:path'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { errnoOf } from '../domain/errno.ts'
import type { AllowedSource } from '../rpc/agent-api.ts'

const PATH_LENGTH_MAX = 4096
const LINKS_MAX = 40
const WRITABLE_BY_OTHERS = 0o022

/**
 * Where a path leads that the configuration allows. A link is followed when only root can have made it, as those in
 * /dev; where anybody else could have, what it leads to must be allowed itself. Throws AGENT_REFUSED; SOURCE_MISSING.
 */
export async function requireAllowed(
  sources: readonly AllowedSource[],
  path: string,
  purpose: 'freeze' | 'restore',
): Promise<string> {
  requirePath(path)
  const patterns = sources.filter(({ mayRestore }) => purpose === 'freeze' || mayRestore)
  const isAllowed = (one: string): boolean => patterns.some(({ pattern }) => matches(pattern, one))
  if (!isAllowed(path)) throw refused(path, purpose, 'no pattern of its configuration allows that')
  const { real, isTrusted } = await follow(path)
  if (isTrusted || isAllowed(real)) return real
  const found = `a link that others than root can change leads to "${real}", which its configuration does not allow`
  throw refused(path, purpose, found)
}

/** `*` stands for any characters within one part of a path. */
export function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/')
  const parts = path.split('/')
  if (wanted.length !== parts.length) return false
  return wanted.every((part, index) => matchesPart(part, parts[index] ?? ''))
}

/** Without a regular expression, which some patterns could keep busy for ever. */
function matchesPart(pattern: string, part: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === part
  const last = rest.pop() ?? ''
  if (!part.startsWith(first) || !part.endsWith(last) || part.length < first.length + last.length)
    return false
  const end = part.length - last.length
  let at = first.length
  for (const piece of rest) {
    const found = part.indexOf(piece, at)
    if (found === -1 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}

function requirePath(path: string): void {
  const isPlain = path.startsWith('/') && path === normalize(path) && !path.includes('\0')
  if (isPlain && path.length <= PATH_LENGTH_MAX && (path === '/' || !path.endsWith('/'))) return
  const message = `Cannot use "${path.slice(0, 200)}": required is an absolute path without "." and ".."`
  throw new BackupError(ErrorCode.UsageWrong, message)
}

type Followed = { readonly real: string; readonly isTrusted: boolean }

async function follow(path: string): Promise<Followed> {
  let isTrusted = true
  let links = 0
  let real = '/'
  const parts = partsOf(path)
  while (parts.length > 0) {
    const next = join(real, parts.shift() ?? '')
    const target = await linkTarget(next, path)
    if (target === null) {
      real = next
      continue
    }
    links += 1
    if (links > LINKS_MAX) {
      throw new BackupError(
        ErrorCode.SourceMissing,
        `Cannot follow "${path}": it leads through too many links`,
      )
    }
    isTrusted &&= target.isTrusted
    parts.unshift(...partsOf(resolve(dirname(next), target.text)))
    real = '/'
  }
  return { real, isTrusted }
}

async function linkTarget(
  path: string,
  of: string,
): Promise<{ readonly text: string; readonly isTrusted: boolean } | null> {
  try {
    const link = await lstat(path)
    if (!link.isSymbolicLink()) return null
    const folder = await lstat(dirname(path))
    const isTrusted = isOwn(link.uid) && isOwn(folder.uid) && (folder.mode & WRITABLE_BY_OTHERS) === 0
    return { text: await readlink(path), isTrusted }
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno === null) throw cause
    const message = `Cannot open source "${of}": "${path}" cannot be followed (${errno}), required is a volume, a mount point or an image file`
    throw new BackupError(ErrorCode.SourceMissing, message, { data: { path: of, errno }, cause })
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '')
}

function isOwn(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.()
}

function refused(path: string, purpose: 'freeze' | 'restore', found: string): BackupError {
  const what = purpose === 'freeze' ? 'freeze' : 'write to'
  const needed = purpose === 'freeze' ? 'a pattern' : 'a pattern with "restore: true"'
  const message = `The agent refuses to ${what} "${path}": ${found}, required is ${needed} under "sources" in its agent.yaml`
  return new BackupError(ErrorCode.AgentRefused, message, { data: { path } })
}
