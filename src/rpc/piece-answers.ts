import type { MessageInitShape } from '@bufbuild/protobuf'
import type { PieceOfImage, PieceToWrite } from './agent-api.ts'
import { PIECE_BYTES_MAX } from './agent-api.ts'
import type { ReadExtentsResponseSchema, WriteExtentsRequest } from './gen/icecore/v1/agent_pb.ts'
import { pieceFromMessage } from './target-message.ts'
import { textFrom } from './wire-values.ts'

/** The messages of pieces, of any size, each as large as a message may be. */
export async function* pieceAnswers(
  pieces: AsyncIterable<PieceOfImage>,
): AsyncGenerator<MessageInitShape<typeof ReadExtentsResponseSchema>> {
  for await (const { offset, bytes } of pieces) {
    for (let begin = 0; begin < bytes.byteLength; begin += PIECE_BYTES_MAX) {
      const data = bytes.subarray(begin, begin + PIECE_BYTES_MAX)
      // A copy: the agent may use its memory again as soon as it is asked for the next piece.
      yield { byteOffset: BigInt(offset + begin), data: data.slice() }
    }
  }
}

/** What a stream of pieces begins with, and all of them. */
export type PiecesOfTarget = { readonly targetId: string; readonly pieces: AsyncIterable<PieceToWrite> }

/** Takes the first message, which says what is written. Null where none comes. Throws SyntaxError, later also from the pieces. */
export async function piecesOfTarget(
  requests: AsyncIterable<WriteExtentsRequest>,
): Promise<PiecesOfTarget | null> {
  const iterator = requests[Symbol.asyncIterator]()
  const first = await iterator.next()
  if (first.done === true) return null
  const targetId = textFrom(first.value.targetId, 'target_id')
  async function* pieces(): AsyncGenerator<PieceToWrite> {
    let next: IteratorResult<WriteExtentsRequest> = first
    try {
      while (next.done !== true) {
        if (next.value.targetId !== targetId) {
          throw new SyntaxError(`target_id changes, expected ${JSON.stringify(targetId)} in every message`)
        }
        yield pieceFromMessage(next.value)
        next = await iterator.next()
      }
    } finally {
      await iterator.return?.()
    }
  }
  return { targetId, pieces: pieces() }
}
