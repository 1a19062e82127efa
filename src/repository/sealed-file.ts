import { createHash } from 'node:crypto'
import { openBytes, sealBytes } from './aes-gcm.ts'
import { encodeFileHeader, FILE_HEADER_SIZE, parseFileHeader } from './file-header.ts'
import { deriveFileKey, type RepositoryKeys } from './keys.ts'
import type { Magic } from './magic.ts'

/** What a repository's files are made with: its id, and its keys when it is encrypted. */
export type SealingContext = { readonly repositoryId: string; readonly keys: RepositoryKeys | null }

/** The SHA-256 of a file's bytes, in hexadecimal: the last part of its name. */
export function fileIdOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A small file: the header, then the body, sealed under the file's own key where there is one. */
export function sealFile(
  context: SealingContext,
  file: { magic: Magic; salt: Uint8Array; body: Uint8Array },
): Uint8Array {
  const header = encodeFileHeader({
    magic: file.magic,
    encrypted: context.keys !== null,
    repositoryId: context.repositoryId,
    salt: file.salt,
  })
  const body = context.keys === null ? file.body : sealBytes(file.body, sealOf(context.keys, header))
  const bytes = new Uint8Array(header.byteLength + body.byteLength)
  bytes.set(header)
  bytes.set(body, header.byteLength)
  return bytes
}

/**
 * The body of a small file that was read under `id`. Throws SyntaxError when the bytes are not those the name
 * promises, are of another kind or another repository, or do not open with the key.
 */
export function openFile(
  context: SealingContext,
  file: { magic: Magic; id: string; bytes: Uint8Array },
): Uint8Array {
  const found = fileIdOf(file.bytes)
  if (found !== file.id) throw new SyntaxError(`its SHA-256 is ${found}, its name says ${file.id}`)
  const header = parseFileHeader(file.bytes, { magic: file.magic, repositoryId: context.repositoryId })
  requireSameSealing(header.encrypted, context)
  const body = file.bytes.subarray(FILE_HEADER_SIZE)
  if (context.keys === null) return body
  return openBytes(body, sealOf(context.keys, file.bytes.subarray(0, FILE_HEADER_SIZE)))
}

/** A plain file smuggled into an encrypted repository must not be believed. */
export function requireSameSealing(encrypted: boolean, context: SealingContext): void {
  if (encrypted === (context.keys !== null)) return
  const is = encrypted ? 'sealed' : 'not sealed'
  throw new SyntaxError(`it is ${is}, unlike its repository`)
}

function sealOf(keys: RepositoryKeys, header: Uint8Array): Parameters<typeof sealBytes>[1] {
  return { key: deriveFileKey(keys, header.subarray(32)), position: FILE_HEADER_SIZE, associated: header }
}
