import type { FrozenImage } from '../../domain/frozen-image.ts'
import { readBytes } from '../../images/read-bytes.ts'

/** No inode that is read often is larger; a window begins and ends where inodes do. */
const WINDOW_BYTES = 4096

/**
 * The part of an inode table that was read last. Inodes are mostly asked for in the order in which they lie: memory of
 * its own for each, and a read to fill it, would cost more than to understand it.
 */
export class InodeWindow {
  readonly #image: FrozenImage
  #offset = 0
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(image: FrozenImage) {
    this.#image = image
  }

  /** Bytes that nobody may change. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const known = this.#within(offset, length)
    if (known !== null) return known
    const start = offset - (offset % WINDOW_BYTES)
    const end = Math.min(start + WINDOW_BYTES, this.#image.sizeBytes)
    if (offset + length > end) return await readBytes(this.#image, offset, length)
    const bytes = await readBytes(this.#image, start, end - start)
    this.#offset = start
    this.#bytes = bytes
    return bytes.subarray(offset - start, offset - start + length)
  }

  #within(offset: number, length: number): Uint8Array | null {
    const at = offset - this.#offset
    return at >= 0 && at + length <= this.#bytes.byteLength ? this.#bytes.subarray(at, at + length) : null
  }
}
