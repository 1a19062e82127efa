import { CHALLENGE_RANGE_BYTES_MAX, CHALLENGE_RANGES_MAX, type ChallengeQuestion } from './agent-api.ts'
import type { ChallengeRequest, ChallengeResponse } from './gen/icecore/v1/agent_pb.ts'
import { rangeFromMessage } from './range-message.ts'
import { CHALLENGE_KEY_BYTES, DIGEST_BYTES } from './wire-limits.ts'
import { listFrom, textFrom } from './wire-values.ts'

/** They may come in any order: chance draws them. */
export function challengeFromMessage(message: ChallengeRequest): ChallengeQuestion {
  if (message.key.byteLength !== CHALLENGE_KEY_BYTES) {
    throw new SyntaxError(`key has ${message.key.byteLength} bytes, expected ${CHALLENGE_KEY_BYTES}`)
  }
  const ranges = listFrom(message.ranges, 'ranges', CHALLENGE_RANGES_MAX).map(rangeFromMessage)
  const tooLong = ranges.find((range) => range.length > CHALLENGE_RANGE_BYTES_MAX)
  if (tooLong !== undefined) {
    const most = CHALLENGE_RANGE_BYTES_MAX
    throw new SyntaxError(`a range has ${tooLong.length} bytes, expected at most ${most}`)
  }
  return { imageId: textFrom(message.imageId, 'image_id'), key: message.key, ranges }
}

/** One digest for each range that was asked about. */
export function digestsFromMessage(message: ChallengeResponse, count: number): readonly Uint8Array[] {
  const { digests } = message
  if (digests.length === count && digests.every((digest) => digest.byteLength === DIGEST_BYTES)) {
    return digests
  }
  throw new SyntaxError(`it answers ${digests.length} digests, expected ${count} of ${DIGEST_BYTES} bytes`)
}
