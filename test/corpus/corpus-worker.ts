import assert from 'node:assert/strict'
import { parentPort, workerData } from 'node:worker_threads'

import { checkImage } from './check-image.ts'
import type { CorpusEntry } from './manifest.ts'

const folder: unknown = workerData
assert(typeof folder === 'string')
const port = parentPort
assert(port !== null)

port.on('message', (entry: CorpusEntry) => {
  // What is thrown ends the worker, and is told to who waits for it.
  void checkImage(folder, entry).then((report) => port.postMessage(report))
})
