import { open } from 'node:fs/promises'
import { endOf } from '../../domain/range.ts'
import { openLocalSource } from '../../linux/local-source.ts'

const PIECE_SIZE_BYTES = 4 * 1024 * 1024

/** Copies an image file to a new one and leaves its holes holes. */
export async function copySparse(from: string, to: string, signal: AbortSignal): Promise<void> {
  await using source = await openLocalSource(from)
  await using image = source.image()
  await using target = await open(to, 'wx')
  await target.truncate(source.sizeBytes)
  const buffer = new Uint8Array(PIECE_SIZE_BYTES)
  for await (const batch of source.dataRanges({ offset: 0, length: source.sizeBytes }, signal)) {
    for (const range of batch) {
      for (let offset = range.offset; offset < endOf(range); offset += buffer.byteLength) {
        signal.throwIfAborted()
        const piece = buffer.subarray(0, Math.min(buffer.byteLength, endOf(range) - offset))
        await image.readInto(piece, offset)
        await target.write(piece, 0, piece.byteLength, offset)
      }
    }
  }
}
