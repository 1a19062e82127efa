import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { FrozenImage } from '../../src/domain/frozen-image.ts'
import type { Range } from '../../src/domain/range.ts'
import { fileImage } from '../support/bytes-image.ts'
import { runTool } from '../support/run-tool.ts'
import { readSparse, sparseImage, type SparseBytes } from '../support/sparse-bytes.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import type { CorpusEntry } from './manifest.ts'

/** The base of some fifty patches, which is not read again for each. */
let lastBase: { readonly path: string; readonly bytes: Promise<SparseBytes> } | null = null

/** Opens an image of the corpus: in memory without its zeros, or as a temporary file when that takes another program. */
export async function openCorpusImage(
  folder: string,
  entry: CorpusEntry,
  onRead: (range: Range) => void,
): Promise<FrozenImage> {
  const path = join(folder, entry.path)
  switch (entry.format) {
    case 'gz':
    case 'plain':
      return sparseImage(await readSparse(path, entry.sizeBytes), onRead)
    case 'patch':
      return sparseImage(await readPatched(folder, entry), onRead)
    case 'qcow2':
      return openConverted(path, entry.sizeBytes, onRead)
    default:
      throw new TypeError(`format ${entry.format} is not known`)
  }
}

type Patch = {
  readonly base: string
  /** Where, and what in hexadecimal digits. */
  readonly patches: readonly (readonly [number, string])[]
}

async function readPatched(folder: string, entry: CorpusEntry): Promise<SparseBytes> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the corpus is written by one program
  const patch = JSON.parse(readFileSync(join(folder, entry.path), 'utf8')) as Patch
  const path = join(folder, patch.base)
  if (lastBase?.path !== path) lastBase = { path, bytes: readSparse(path, entry.sizeBytes) }
  const bytes = (await lastBase.bytes).copy()
  for (const [offset, digits] of patch.patches) bytes.write(Uint8Array.fromHex(digits), offset)
  return bytes
}

function openConverted(path: string, sizeBytes: number, onRead: (range: Range) => void): FrozenImage {
  const folder = temporaryFolder()
  try {
    const raw = folder.join('image')
    // A sparse file: as many bytes on disk as are no zeros.
    runTool('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', path, raw])
    const image = fileImage(raw, { onRead })
    assert.equal(image.sizeBytes, sizeBytes)
    return {
      ...image,
      [Symbol.asyncDispose]: async () => {
        await image[Symbol.asyncDispose]()
        folder[Symbol.dispose]()
      },
    }
  } catch (error) {
    folder[Symbol.dispose]()
    throw error
  }
}
