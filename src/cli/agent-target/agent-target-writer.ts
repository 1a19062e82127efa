import { endOf } from '../../domain/range.ts'
import { receiveInto } from '../../lane/receive-pieces.ts'
import type { TargetWriter } from '../../lane/target-writer.ts'
import { PIECE_BYTES_MAX, type AgentApi } from '../../rpc/agent-api.ts'
import { PieceChannel } from './piece-channel.ts'

/** Sends what is to be written to an agent, in one stream. */
export type AgentTargetWriter = TargetWriter & {
  /** Resolves when the agent has all of it on its disks, with how much that is. */
  finish(): Promise<number>
  fail(error: unknown): void
}

export function agentTargetWriter(
  agent: Pick<AgentApi, 'read' | 'write'>,
  targetId: string,
  signal: AbortSignal,
): AgentTargetWriter {
  const channel = new PieceChannel()
  const sent = agent.write(targetId, channel.pieces(), signal)
  sent.catch((error: unknown) => channel.fail(error))
  return {
    async write(bytes, offset) {
      for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES_MAX) {
        // A copy: the lane fills its memory anew before the piece is sent.
        const piece = Uint8Array.from(bytes.subarray(at, at + PIECE_BYTES_MAX))
        await channel.push({ kind: 'data', offset: offset + at, bytes: piece })
      }
    },
    async zero(range) {
      if (endOf(range) > range.offset) await channel.push({ kind: 'zero', ...range })
    },
    read: (target, offset) => receiveInto(agent, { imageId: targetId, target, offset }, signal),
    async finish() {
      channel.end()
      return await sent
    },
    fail: (error) => channel.fail(error),
  }
}
