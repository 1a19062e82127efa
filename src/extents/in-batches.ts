import { BATCH_LENGTH } from './batches.ts'

/** Items one by one, as a stream of batches. */
export function* inBatches<Item>(items: Iterable<Item>): Generator<readonly Item[]> {
  let batch: Item[] = []
  for (const item of items) {
    batch.push(item)
    if (batch.length < BATCH_LENGTH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
