import { allocateAligned } from '../linux/aligned-memory.ts'
import { BounceMemory } from '../linux/bounce-buffers.ts'
import { PIECE_BYTES_MAX } from '../rpc/agent-api.ts'

/** Memory for one piece each, which direct I/O works into: movers read in many small calls. */
export const pieceMemory = new BounceMemory({
  sizeBytes: PIECE_BYTES_MAX,
  allocate: allocateAligned,
  spareMax: 16,
})
