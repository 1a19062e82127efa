import { differingLeaves } from './tree-difference.ts'
import type { ImageRoot } from '../domain/recovery-point.ts'
import type { NodeReader } from './node-reader.ts'
import { PLACES } from './tree-node.ts'
import { treeShape } from './tree-shape.ts'

/** What is compared: an image of each of two points of one repository. */
export type ComparedImage = { readonly sizeBytes: number; readonly root: ImageRoot }

/** A run of bytes in whole chunks, cut off at the end of the image; `exists` is false where it became zeros. */
export type DifferingRange = { readonly offset: number; readonly length: number; readonly exists: boolean }

export type DifferingRangesOptions = {
  readonly chunkSizeBytes: number
  readonly nodes: NodeReader
  readonly signal: AbortSignal
}

/**
 * The ranges of `after` that differ from `before`, ascending, neighbours of one kind merged. What `after` no
 * longer has, because it is the smaller image, is not in it: the ranges are a change list that leads from one to
 * the other. One range and one node a level are held.
 */
export async function* differingRanges(
  images: { readonly before: ComparedImage; readonly after: ComparedImage },
  options: DifferingRangesOptions,
): AsyncGenerator<DifferingRange> {
  const { before, after } = images
  const { chunkSizeBytes, nodes, signal } = options
  const tree = ({ root, sizeBytes }: ComparedImage): Parameters<typeof differingLeaves>[0]['a'] => ({
    root,
    shape: treeShape({ sizeBytes, chunkSizeBytes }),
  })
  let open: DifferingRange | null = null
  for await (const { leafIndex, places } of differingLeaves(
    { a: tree(before), b: tree(after) },
    nodes,
    signal,
  )) {
    for (const { place, existsInB: exists } of places) {
      const offset = (leafIndex * PLACES + place) * chunkSizeBytes
      const end = Math.min(offset + chunkSizeBytes, after.sizeBytes)
      if (offset >= end) continue
      if (open !== null && open.exists === exists && open.offset + open.length === offset) {
        open = { offset: open.offset, length: end - open.offset, exists }
        continue
      }
      if (open !== null) yield open
      open = { offset, length: end - offset, exists }
    }
  }
  if (open !== null) yield open
}
