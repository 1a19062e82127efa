import assert from 'node:assert/strict'

/** Maps `source` with at most `limit` calls in flight; yields results in the order of the source. */
export async function* mapConcurrent<In, Out>(
  source: AsyncIterable<In> | Iterable<In>,
  limit: number,
  transform: (item: In) => Promise<Out>,
): AsyncGenerator<Out> {
  assert(limit >= 1)
  const inFlight: Promise<Out>[] = []
  try {
    for await (const item of source) {
      const result = transform(item)
      result.catch(ignore) // It is awaited in order below; a failure before its turn is not unhandled.
      inFlight.push(result)
      if (inFlight.length >= limit) yield await takeFirst(inFlight)
    }
    while (inFlight.length > 0) yield await takeFirst(inFlight)
  } finally {
    await Promise.allSettled(inFlight)
  }
}

function takeFirst<T>(queue: Promise<T>[]): Promise<T> {
  const first = queue.shift()
  assert(first)
  return first
}

function ignore(): void {}
