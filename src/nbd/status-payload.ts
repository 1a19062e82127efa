/** A server says of many extents at once; one that says of more than this in one answer is not listened to. */
const DESCRIPTORS_MAX = 1024 * 1024
export const COMPACT_DESCRIPTOR_BYTES = 8
export const EXTENDED_DESCRIPTOR_BYTES = 16

/** What a server says of a range in one context: lengths and flags, one after the other, from where it was asked. */
export type StatusDescriptors = {
  readonly bytes: Uint8Array
  readonly descriptorBytes: number
}

/** The bytes of a status chunk, or null for a length that none can have. */
export function descriptorBytesOf(
  payloadLength: number,
  form: { readonly headBytes: number; readonly descriptorBytes: number },
): number | null {
  const length = payloadLength - form.headBytes
  const count = length / form.descriptorBytes
  return Number.isInteger(count) && count >= 1 && count <= DESCRIPTORS_MAX ? length : null
}

/** Walks descriptors without an object for each. */
export class DescriptorCursor {
  length = 0
  flags = 0
  readonly #view: DataView
  readonly #isCompact: boolean
  #at = 0

  constructor({ bytes, descriptorBytes }: StatusDescriptors) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#isCompact = descriptorBytes === COMPACT_DESCRIPTOR_BYTES
  }

  /** Goes on to the next one; false behind the last. Throws RangeError for a length that none can have. */
  advance(): boolean {
    const view = this.#view
    const at = this.#at
    if (at >= view.byteLength) return false
    if (this.#isCompact) {
      this.length = view.getUint32(at)
      this.flags = view.getUint32(at + 4)
      this.#at += COMPACT_DESCRIPTOR_BYTES
    } else {
      this.length = view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)
      // The high half has no meaning in the contexts that are asked for.
      this.flags = view.getUint32(at + 12)
      this.#at += EXTENDED_DESCRIPTOR_BYTES
    }
    if (this.length === 0 || !Number.isSafeInteger(this.length)) {
      throw new RangeError(`it describes an extent of ${this.length} bytes`)
    }
    return true
  }
}
