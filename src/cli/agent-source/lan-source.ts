import type { FrozenImage } from '../../domain/frozen-image.ts'
import { dataRanges } from '../../extents/data-ranges.ts'
import { receiveInto } from '../../lane/receive-pieces.ts'
import type { AgentLink } from '../../lane/lane-messages.ts'
import type { FrozenSource } from '../freeze/frozen-source.ts'
import type { AgentMap } from './agent-map.ts'
import { agentFrozenPart, agentSourceFacts, type AgentImageParts } from './agent-source-parts.ts'

/** An agent sends to so many lanes at once; each asks for a few pieces at a time. */
const LANES_MAX = 8

export type LanParts = AgentImageParts & { readonly map: AgentMap; readonly link: AgentLink }

/** An image that its agent reads and sends: every lane connects for itself. */
export function lanSource(parts: LanParts): FrozenSource {
  const { agent, image, map, link } = parts
  const { sizeBytes, imageId } = image
  return {
    ...agentSourceFacts(parts),
    identity: null,
    address: { agent: link, imageId, sizeBytes },
    lanesMax: LANES_MAX,
    fingerprint: () => Promise.resolve(image.heldId),
    dataRanges: (range) => dataRanges(map.batches(range)),
    image: () => sentImage(parts),
    frozen: {
      ...agentFrozenPart(parts),
      // The agent reads it as its system shows it, wherever it lies: what can be wrong is that it is not whole any more.
      moved: async (signal) => {
        const from = { imageId, startingOffset: 0, epoch: image.epoch }
        for await (const _part of agent.identify(from, signal)) break
        return []
      },
      map: () => map.encode(),
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function sentImage({ agent, image, map, signal }: LanParts): FrozenImage {
  const { imageId, sizeBytes, sectorSizeBytes } = image
  return {
    sizeBytes,
    sectorSizeBytes,
    // oxlint-disable-next-line typescript/require-await -- a stream like that of a device
    extents: async function* extents(range) {
      yield* map.batches(range)
    },
    readInto: (target, offset) => receiveInto(agent, { imageId, target, offset }, signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
