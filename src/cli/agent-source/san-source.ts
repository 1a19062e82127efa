import { createHash } from 'node:crypto'
import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { Randomness } from '../../domain/randomness.ts'
import type { Range } from '../../domain/range.ts'
import { dataRanges } from '../../extents/data-ranges.ts'
import { mappedImage } from '../../images/mapped-image.ts'
import type { MappedAddress } from '../../lane/lane-messages.ts'
import type { FoundDisk } from '../../linux/find-disk.ts'
import { challenge } from '../../mover/challenge.ts'
import type { FrozenSource } from '../freeze/frozen-source.ts'
import type { AgentMap } from './agent-map.ts'
import { agentFrozenPart, agentSourceFacts, type AgentImageParts } from './agent-source-parts.ts'
import { LookedRanges } from './looked-ranges.ts'

export type SanParts = AgentImageParts & {
  readonly map: AgentMap
  /** In the order of the image's devices. */
  readonly disks: readonly FoundDisk[]
  readonly randomness: Randomness
}

/** An image of an agent, read on its disks at the extents that the agent says. */
export async function sanSource(parts: SanParts): Promise<FrozenSource> {
  const { image, map, disks } = parts
  const { sizeBytes } = map
  const looked = new LookedRanges()
  const [only] = image.devices
  const address: MappedAddress = {
    sizeBytes,
    map: await map.encode(),
    devices: disks.map((disk) => ({
      path: disk.realPath,
      fd: disk.fd,
      sizeBytes: disk.sizeBytes,
      direct: disk.direct,
    })),
  }
  // The challenge may ask while the image is looked at: what one of them hears is true of the other too.
  const identify = async (signal: AbortSignal): Promise<readonly Range[]> => {
    const moved = await map.identify(signal)
    looked.noteMoved(moved)
    return moved
  }
  const data = (range: Range): ReturnType<typeof dataRanges> => dataRanges(map.batches(range))
  return {
    ...agentSourceFacts(parts),
    identity: image.devices.length === 1 ? (only ?? null) : null,
    address,
    lanesMax: null,
    fingerprint: async () => await fingerprintOf(parts),
    dataRanges: data,
    image: () => remembering(imageOf(parts), looked),
    frozen: {
      ...agentFrozenPart(parts),
      moved: (signal) => map.takeMoved(signal),
      map: () => map.encode(),
      isLookedRight: async (signal) => {
        await identify(signal)
        return looked.takeRight()
      },
      challenge: (signal) => challengeOnDisks(parts, { data, identify }, signal),
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function challengeOnDisks(
  parts: SanParts,
  {
    data,
    identify,
  }: {
    readonly data: (range: Range) => ReturnType<typeof dataRanges>
    readonly identify: (signal: AbortSignal) => Promise<readonly Range[]>
  },
  signal: AbortSignal,
): Promise<number> {
  const { agent, image, map, randomness, host } = parts
  const own = imageOf(parts)
  return await challenge(
    {
      source: `${host}:${image.source}`,
      sizeBytes: map.sizeBytes,
      sectorSizeBytes: image.sectorSizeBytes,
      dataRanges: data,
      ask: (question, now) => agent.challenge({ imageId: image.imageId, ...question }, now),
      read: async ({ offset, length }) => {
        const bytes = new Uint8Array(length)
        await own.readInto(bytes, offset)
        return bytes
      },
      moved: identify,
      where: (range) => placesOf(parts, range),
      randomness,
    },
    signal,
  )
}

/** The disk and the place on it, or the first of several. */
function placesOf({ map, image, disks }: SanParts, range: Range): string {
  for (const extent of map.extentsIn(range)) {
    if (extent.kind !== 'data') continue
    const name = image.devices[extent.device]?.name ?? ''
    return `"${disks[extent.device]?.path ?? ''}" (${name}) at offset ${extent.physicalOffset}`
  }
  return 'no disk'
}

function imageOf({ map, disks }: SanParts): FrozenImage {
  const layers = disks.map((disk, device) => ({ image: disk.image(), device, isMapped: false }))
  const lookup = { sizeBytes: map.sizeBytes, extentsIn: (range: Range) => map.extentsIn(range) }
  return mappedImage(lookup, layers)
}

function remembering(image: FrozenImage, looked: LookedRanges): FrozenImage {
  return {
    ...image,
    readInto: async (target, offset) => {
      looked.add({ offset, length: target.byteLength })
      await image.readInto(target, offset)
    },
  }
}

/** Another disk under one of the paths would be another state of the source. */
async function fingerprintOf({ image, disks }: SanParts): Promise<string> {
  const prints: string[] = []
  for (const disk of disks) prints.push(await disk.fingerprint())
  return `${image.heldId}:${createHash('sha256').update(prints.join(' ')).digest('hex')}`
}
