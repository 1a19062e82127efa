import { createHash } from 'node:crypto'

import type { FrozenImage } from '../../src/domain/frozen-image.ts'
import type { Range } from '../../src/domain/range.ts'
import type { FileSystem } from '../../src/formats/file-system.ts'
import type { WalkedFile } from '../support/walk-files.ts'

export type TreeEntry = {
  readonly path: string
  readonly type: 'dir' | 'file' | 'symlink'
  readonly size?: number
  readonly sha256?: string
  readonly target?: string
}

type Source = {
  readonly image: FrozenImage
  readonly fileSystem: FileSystem
  /** Told where on the volume the content lies. */
  readonly onData: (range: Range) => void
}

/** Damaged files claim to have petabytes of holes. */
const DIGEST_BYTES_MAX = 256 * 1024 * 1024
const INLINE_ROOM_BYTES = 60
const PIECE_BYTES = 4 * 1024 * 1024
/** Names that are not UTF-8 are their bytes, each as the half of a pair that no text has. */
const NOT_UTF8_START = 0xdc00

/** Files of a volume as the corpus lists them: directories, symbolic links, and files with the digest of what is in them. */
export async function describeFile(
  { path, node }: WalkedFile,
  { image, fileSystem, onData }: Source,
): Promise<TreeEntry | null> {
  const name = textOf(path)
  if (node.kind === 'directory') return name === '' ? null : { path: name, type: 'dir' }
  if (node.kind === 'symlink') {
    return { path: name, type: 'symlink', target: textOf(await fileSystem.readSymlink(node)) }
  }
  if (node.kind !== 'file') return null
  const hash = createHash('sha256')
  let size = node.sizeBytes
  if (node.sizeBytes > DIGEST_BYTES_MAX) return { path: name, type: 'file', size: node.sizeBytes }
  if (node.sizeBytes > 0) {
    const range = { offset: 0, length: node.sizeBytes }
    const { signal } = new AbortController()
    for await (const batch of fileSystem.fileExtents(node, range, signal)) {
      for (const extent of batch) {
        // `debugfs` gives all the room that the inode has for content.
        if (extent.kind === 'inline') size = Math.max(size, INLINE_ROOM_BYTES)
        if (extent.kind === 'data') onData({ offset: extent.physicalOffset, length: extent.length })
        for (let done = 0; done < extent.length; done += PIECE_BYTES) {
          const piece = new Uint8Array(Math.min(PIECE_BYTES, extent.length - done))
          if (extent.kind === 'data') await image.readInto(piece, extent.physicalOffset + done)
          if (extent.kind === 'inline') piece.set(extent.bytes.subarray(done, done + piece.byteLength))
          hash.update(piece)
        }
      }
    }
  }
  hash.update(new Uint8Array(size - node.sizeBytes))
  return { path: name, type: 'file', size, sha256: hash.digest('hex') }
}

/** The digest of a list, sorted by path, as the corpus computes it: of JSON in ASCII, with its keys sorted and spaced. */
export function treeDigest(entries: readonly TreeEntry[]): string {
  const sorted = entries.toSorted((a, b) => compareText(a.path, b.path))
  const lines = sorted.map((entry) => {
    const fields = Object.entries(entry).toSorted(([a], [b]) => compareText(a, b))
    return `{${fields.map(([name, value]) => `"${name}": ${asciiJson(value)}`).join(', ')}}`
  })
  return createHash('sha256')
    .update(`[${lines.join(', ')}]`)
    .digest('hex')
}

function compareText(a: string, b: string): number {
  return Buffer.compare(codePoints(a), codePoints(b))
}

/** So that what compares bytes compares code points, of which the corpus has halves of pairs too. */
function codePoints(text: string): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4 * text.length))
  let length = 0
  for (let index = 0; index < text.length; length += 4) {
    const point = text.codePointAt(index) ?? 0
    bytes.setUint32(length, point)
    index += point > 0xffff ? 2 : 1
  }
  return new Uint8Array(bytes.buffer, 0, length)
}

function asciiJson(value: string | number): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A name as the corpus has it. */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return Array.from(bytes, (byte) =>
      byte < 0x80 ? String.fromCharCode(byte) : String.fromCharCode(NOT_UTF8_START + byte),
    ).join('')
  }
}
