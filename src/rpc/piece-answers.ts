import type { MessageInitShape } from '@bufbuild/protobuf'
import type { PieceOfImage, PieceToWrite } from './agent-api.ts'
import { PIECE_BYTES_MAX } from './agent-api.ts'
import type { ReadExtentsResponseSchema, WriteExtentsRequest } from './gen/icecore/v1/agent_pb.ts'
import { pieceFromMessage } from './target-message.ts'
import { numberFrom, textFrom } from './wire-values.ts'

/** The messages of pieces, of any size, each as large as a message may be. */
export async function* pieceAnswers(
  pieces: AsyncIterable<PieceOfImage>,
): AsyncGenerator<MessageInitShape<typeof ReadExtentsResponseSchema>> {
  for await (const { offset, bytes } of pieces) {
    for (let begin = 0; begin < bytes.byteLength; begin += PIECE_BYTES_MAX) {
      const data = bytes.subarray(begin, begin + PIECE_BYTES_MAX)
      // Encoded before the next one is asked for: the agent may use its memory again then.
      yield { byteOffset: BigInt(offset + begin), data }
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
      let sum = 0
      while (next.done !== true) {
        if (next.value.targetId !== targetId) {
          throw new SyntaxError(`target_id changes, expected ${JSON.stringify(targetId)} in every message`)
        }
        const { content } = next.value
        if (content.case === 'totalBytes') return requireTotal(numberFrom(content.value, 'total_bytes'), sum)
        const piece = pieceFromMessage(next.value)
        sum += piece.kind === 'data' ? piece.bytes.byteLength : piece.length
        yield piece
        next = await iterator.next()
      }
      // HTTP/2 lets a stream that was given up look like one that has ended.
      throw new SyntaxError('the stream ends without total_bytes: it was cut off')
    } finally {
      await iterator.return?.()
    }
  }
  return { targetId, pieces: pieces() }
}

function requireTotal(totalBytes: number, sum: number): void {
  if (totalBytes === sum) return
  throw new SyntaxError(`total_bytes is ${totalBytes}, expected ${sum}: so many have come`)
}
