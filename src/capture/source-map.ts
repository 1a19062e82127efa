import type { FrozenImage } from '../domain/frozen-image.ts'
import type { Range } from '../domain/range.ts'
import { FreeSpace } from '../formats/volume-stack/free-space.ts'
import { openVolumeStack } from '../formats/volume-stack/open-volume-stack.ts'
import type { UnmappedVolume, Volume, VolumeStack } from '../formats/volume-stack/volume.ts'
import { volumeLayer } from '../formats/volume-stack/volume-layer.ts'
import { countFragments } from './fragments.ts'

/** What lies on the images of a source, layer by layer. */
export type SourceMap = {
  readonly stack: VolumeStack
  /** Each before what lies on it. */
  readonly volumes: readonly MappedVolume[]
  readonly unmapped: readonly UnmappedVolume[]
}

export type MappedVolume = {
  readonly volume: Volume
  readonly sizeBytes: number
  /** Proven free, ascending. Short ranges count, too. */
  readonly free: readonly Range[]
  readonly freeBytes: number
  /** In how many pieces it lies on the images of the source. */
  readonly fragmentCount: number
}

/**
 * Looks into the images of a source. `freeAtLeastBytes` bounds the memory: shorter free ranges count as in use.
 */
export async function mapSource(
  images: readonly { readonly name: string; readonly image: FrozenImage }[],
  options: { readonly freeAtLeastBytes: number; readonly signal: AbortSignal },
): Promise<SourceMap> {
  const { freeAtLeastBytes: atLeastBytes, signal } = options
  const stack = await openVolumeStack(images, signal)
  const freeSpace = new FreeSpace(stack, { atLeastBytes, signal })
  const volumes: MappedVolume[] = []
  for (const volume of stack.volumes) {
    signal.throwIfAborted()
    const { sizeBytes } = volume.image
    const free = await freeSpace.of(volume)
    const freeBytes = free.reduce((sum, range) => sum + range.length, 0)
    const fragmentCount = countFragments(volumeLayer(volume).extentsIn({ offset: 0, length: sizeBytes }))
    volumes.push({ volume, sizeBytes, free, freeBytes, fragmentCount })
  }
  return { stack, volumes, unmapped: stack.unmapped }
}
