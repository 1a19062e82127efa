/** A stream of items in arrays: a step of a stream costs a promise, so a step carries a few thousand items. */
export type Batches<T> = AsyncIterable<readonly T[]> | Iterable<readonly T[]>

/** How many items the batches of this folder have, all but the last. */
export const BATCH_LENGTH = 4096
