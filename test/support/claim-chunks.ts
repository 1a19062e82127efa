import { createHash } from 'node:crypto'
import { workerData } from 'node:worker_threads'

import { KnownChunks } from '../../src/repository/known-chunks.ts'

/** The entry of a thread: claims ids 0 to `count` in an order of its own and counts in `wins` those that it was the first to claim. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the thread's maker is known-chunks.test.ts
const { memory, wins, step, start } = workerData as {
  memory: SharedArrayBuffer
  wins: Int32Array
  step: number
  start: Int32Array
}
const count = wins.length
const known = new KnownChunks(memory)
const ids = Array.from({ length: count }, (_, number) => createHash('sha256').update(`${number}`).digest())
Atomics.add(start, 0, 1)
Atomics.notify(start, 0)
while (Atomics.load(start, 1) === 0) Atomics.wait(start, 1, 0)
for (let at = 0; at < count; at += 1) {
  const number = (at * step) % count
  if (known.claim(ids[number] ?? new Uint8Array(32))) Atomics.add(wins, number, 1)
}
