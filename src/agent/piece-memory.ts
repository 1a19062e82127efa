import { allocateAligned } from '../linux/aligned-memory.ts'
import { PIECE_BYTES_MAX } from '../rpc/agent-api.ts'

/** Nobody looks for memory of this kind that is not used any more; and movers read in many small calls. */
const SPARE_MAX = 16
const spare: Uint8Array[] = []

/** Memory for one piece, which direct I/O works into. Disposed of when nothing reads into it any more. */
export function borrowPiece(): Disposable & { readonly bytes: Uint8Array } {
  const bytes = spare.pop() ?? allocateAligned(PIECE_BYTES_MAX)
  return {
    bytes,
    [Symbol.dispose]: () => {
      if (spare.length < SPARE_MAX) spare.push(bytes)
    },
  }
}
