/** `bytes` again and again, each time with one byte changed: every `step`th position, by each of a few bits. */
export function* withOneByteFlipped(
  bytes: Uint8Array,
  step = 1,
): Generator<{ at: number; flipped: Uint8Array }> {
  for (let at = 0; at < bytes.byteLength; at += step) {
    for (const mask of [0x01, 0x20, 0xff]) {
      const flipped = new Uint8Array(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ mask
      yield { at, flipped }
    }
  }
}
