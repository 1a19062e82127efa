import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'

const READ_SIZE_BYTES = 4 * 1024 * 1024

/** SHA-256 of the bytes of a file or a block device, in hexadecimal. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: READ_SIZE_BYTES }), hash)
  return hash.digest('hex')
}
