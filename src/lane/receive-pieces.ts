import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { AgentApi } from '../rpc/agent-api.ts'

/** Fills `target` with what an agent sends of its image from `offset` on. Throws PROTOCOL_WRONG for anything else. */
export async function receiveInto(
  agent: Pick<AgentApi, 'read'>,
  what: { readonly imageId: string; readonly target: Uint8Array; readonly offset: number },
  signal: AbortSignal,
): Promise<void> {
  const { imageId, target, offset } = what
  if (target.byteLength === 0) return
  const ranges = [{ offset, length: target.byteLength }]
  let at = 0
  for await (const piece of agent.read({ imageId, ranges }, signal)) {
    if (piece.offset !== offset + at || piece.bytes.byteLength > target.byteLength - at) {
      const found = `${piece.offset}+${piece.bytes.byteLength}`
      throw wrong(`it sent ${found}, expected at most ${target.byteLength - at} bytes from ${offset + at} on`)
    }
    target.set(piece.bytes, at)
    at += piece.bytes.byteLength
  }
  if (at !== target.byteLength)
    throw wrong(`it sent ${at} bytes from ${offset} on, expected ${target.byteLength}`)
}

function wrong(found: string): BackupError {
  return new BackupError(ErrorCode.ProtocolWrong, `Cannot read the image that the agent sends: ${found}`)
}
