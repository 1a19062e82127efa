import type { ImageOfAgent, TargetOfAgent } from '../../rpc/agent-api.ts'

/** A target as its map is asked for: as if it were an image. */
export function imageOfTarget(target: TargetOfAgent, path: string): ImageOfAgent {
  const { targetId, sizeBytes, sectorSizeBytes, epoch, devices } = target
  return {
    imageId: targetId,
    source: path,
    provider: '',
    heldId: '',
    heldSource: '',
    sizeBytes,
    sectorSizeBytes,
    epoch,
    devices,
    base: 'none',
    windowMs: null,
  }
}
