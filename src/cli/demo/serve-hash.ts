/* oxlint-disable unicorn/require-post-message-target-origin -- a port of a thread has no origin */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { parentPort, workerData } from 'node:worker_threads'

const PIECE_SIZE_BYTES = 4 * 1024 * 1024

/** What the thread says: bytes that it has read, and in the end the SHA-256 of all, in hexadecimal. */
export type HashMessage = { readonly readBytes: number } | { readonly sha256: string }

const say = (message: HashMessage): void => parentPort?.postMessage(message)

await using file = await open(String(workerData))
const hash = createHash('sha256')
const buffer = Buffer.alloc(PIECE_SIZE_BYTES)
for (;;) {
  const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
  if (bytesRead === 0) break
  hash.update(buffer.subarray(0, bytesRead))
  say({ readBytes: bytesRead })
}
say({ sha256: hash.digest('hex') })
