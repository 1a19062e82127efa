import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Range } from '../domain/range.ts'
import type { TargetWriter } from '../lane/target-writer.ts'
import { DIRECT_ALIGNMENT_BYTES } from '../linux/aligned-memory.ts'
import { PIECE_BYTES_MAX, type PieceToWrite } from '../rpc/agent-api.ts'
import { pieceMemory } from './piece-memory.ts'

/** Writes what a mover sends, wherever in the target it says. Returns how many bytes of it are written or made zero. */
export async function writePieces(
  target: {
    readonly path: string
    readonly sizeBytes: number
    readonly writer: Pick<TargetWriter, 'write' | 'zero'>
  },
  pieces: AsyncIterable<PieceToWrite>,
  signal: AbortSignal,
): Promise<number> {
  const { writer } = target
  // What came over the network lies anywhere in memory; direct I/O wants whole pages.
  using borrowed = pieceMemory.borrow()
  const aligned = borrowed.bytes
  let writtenBytes = 0
  for await (const piece of pieces) {
    signal.throwIfAborted()
    const length = piece.kind === 'data' ? piece.bytes.byteLength : piece.length
    if (length === 0) continue
    const range = { offset: piece.offset, length }
    requireSound(target, range, piece.kind)
    if (piece.kind === 'data') {
      aligned.set(piece.bytes)
      await writer.write(aligned.subarray(0, length), piece.offset)
    } else {
      await writer.zero(range)
    }
    writtenBytes += length
  }
  return writtenBytes
}

function requireSound(
  { path, sizeBytes }: { readonly path: string; readonly sizeBytes: number },
  { offset, length }: Range,
  kind: PieceToWrite['kind'],
): void {
  const isWithin = offset >= 0 && length > 0 && offset + length <= sizeBytes
  const isAligned = offset % DIRECT_ALIGNMENT_BYTES === 0
  const isSmall = kind === 'zero' || length <= PIECE_BYTES_MAX
  if (isWithin && isAligned && isSmall) return
  const message = `Cannot write ${offset}+${length} to "${path}": required is a multiple of ${DIRECT_ALIGNMENT_BYTES} bytes within its ${sizeBytes}, and at most ${PIECE_BYTES_MAX} bytes at once`
  throw new BackupError(ErrorCode.AgentRefused, message, { data: { path } })
}
