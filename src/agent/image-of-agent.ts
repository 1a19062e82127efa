import type { HeldImage } from '../capture/provider/held-image.ts'
import type { HeldByAgent, ImageOfAgent } from '../rpc/agent-api.ts'
import type { AgentImage } from './agent-image.ts'

/** What a mover is told of an image when it is frozen. */
export function imageOfAgent(image: AgentImage): ImageOfAgent {
  const { id, source, provided, placed, windowMs, base, basePointId } = image.parts
  const { held } = provided
  return {
    imageId: id,
    source,
    provider: held.provider,
    heldId: held.id,
    heldSource: held.source,
    sizeBytes: image.sizeBytes,
    sectorSizeBytes: provided.image.sectorSizeBytes,
    epoch: image.epoch,
    devices: placed.disks,
    base: basePointId === null ? 'none' : base === null ? 'lost' : 'held',
    windowMs,
  }
}

export function heldByAgent({ id, label, source, provider, createdAtMs, use, cost }: HeldImage): HeldByAgent {
  const basePointId = use.kind === 'base' ? use.pointId : null
  return { id, label, source, provider, createdAtMs, basePointId, heldBytes: cost.heldBytes }
}
