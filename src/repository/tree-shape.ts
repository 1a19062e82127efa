import { PLACES } from './tree-node.ts'

/** Where things are in the tree of an image of a given size. All counts and positions are of chunks. */
export type TreeShape = {
  readonly chunkSizeBytes: number
  readonly sizeBytes: number
  /** Chunks of the image, the last one perhaps cut short. */
  readonly chunkCount: number
  /** The root's level; 0 when the root is a leaf. */
  readonly rootLevel: number
  readonly leafCount: number
}

export function treeShape(image: { sizeBytes: number; chunkSizeBytes: number }): TreeShape {
  const chunkCount = Math.ceil(image.sizeBytes / image.chunkSizeBytes)
  let rootLevel = 0
  while (spanOf(rootLevel) < chunkCount) rootLevel += 1
  return { ...image, chunkCount, rootLevel, leafCount: Math.ceil(chunkCount / PLACES) }
}

/** Chunks below a node of `level`. */
export function spanOf(level: number): number {
  return PLACES ** (level + 1)
}
