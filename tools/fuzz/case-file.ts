import { readFileSync, writeFileSync } from 'node:fs'
import { deflateSync, inflateSync } from 'node:zlib'

import { SparseBytes } from '../../test/support/sparse-bytes.ts'
import { KINDS, type Kind } from './base.ts'

/** A damaged image as it is, so that it can be tried again without the tools that made it. */
export type FuzzCase = { readonly kind: Kind; readonly images: readonly SparseBytes[] }

type Stored = {
  readonly kind: Kind
  /** What was wrong, for who reads the file. */
  readonly reason: string
  /** Pages by their number, compressed. */
  readonly images: readonly { readonly sizeBytes: number; readonly pages: Readonly<Record<string, string>> }[]
}

export function writeCase(path: string, { kind, images }: FuzzCase, reason: string): void {
  const stored: Stored = {
    kind,
    reason,
    images: images.map(({ sizeBytes, pages }) => ({
      sizeBytes,
      pages: Object.fromEntries(
        [...pages].map(([page, bytes]) => [page, deflateSync(bytes).toString('base64')]),
      ),
    })),
  }
  writeFileSync(path, JSON.stringify(stored))
}

export function readCase(path: string): FuzzCase {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by writeCase()
  const { kind, images } = JSON.parse(readFileSync(path, 'utf8')) as Stored
  if (!KINDS.includes(kind)) throw new SyntaxError(`Cannot replay "${path}": it is no case of the fuzzer`)
  return {
    kind,
    images: images.map(({ sizeBytes, pages }) => {
      const entries = Object.entries(pages).map(
        ([page, text]) => [Number(page), new Uint8Array(inflateSync(Buffer.from(text, 'base64')))] as const,
      )
      return new SparseBytes(sizeBytes, new Map(entries))
    }),
  }
}
