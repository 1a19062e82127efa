import type { LeafMask } from './leaf-mask.ts'
import { EMPTY_MASK } from './leaf-mask.ts'

/** One leaf that any of the streams names, with the mask of each: empty where a stream does not name it. */
export type JoinedLeaf = { readonly leafIndex: number; readonly masks: readonly Uint8Array[] }

/** Walks ascending streams of leaf masks side by side. */
export async function* joinLeaves(streams: readonly AsyncIterable<LeafMask>[]): AsyncGenerator<JoinedLeaf> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]())
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()))
    for (;;) {
      const indexes = heads.map((head) =>
        head.done === true ? Number.POSITIVE_INFINITY : head.value.leafIndex,
      )
      const leafIndex = Math.min(...indexes)
      if (leafIndex === Number.POSITIVE_INFINITY) return
      const masks = heads.map((head) =>
        head.done !== true && head.value.leafIndex === leafIndex ? head.value.mask : EMPTY_MASK,
      )
      yield { leafIndex, masks }
      for (const [index, iterator] of iterators.entries()) {
        if (indexes[index] === leafIndex) heads[index] = await iterator.next()
      }
    }
  } finally {
    for (const iterator of iterators) await iterator.return?.()
  }
}
