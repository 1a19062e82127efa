import type { Extent } from '../domain/extent.ts'
import { composeExtents } from '../extents/compose-extents.ts'
import type { FileNode } from '../formats/file-system.ts'
import { resolvePath } from '../formats/resolve-path.ts'
import type { FileSystemVolume } from '../formats/volume-stack/file-system-volumes.ts'
import { selectFileSystem } from '../formats/volume-stack/select-file-system.ts'
import type { VolumeStack } from '../formats/volume-stack/volume.ts'
import { volumeLayer } from '../formats/volume-stack/volume-layer.ts'
import { countFragments } from './fragments.ts'

/** Where a file lies, from its file system down to the images of the source. */
export type FileMap = {
  readonly on: FileSystemVolume
  readonly node: FileNode
  readonly dataBytes: number
  /** Holes and what was allocated but never written. */
  readonly zeroBytes: number
  /** Kept in the file's own metadata. */
  readonly inlineBytes: number
  /** Extents of the volume that the file system is on. */
  readonly volumeExtentCount: number
  readonly volumeFragmentCount: number
  /** Extents of the images, whose indexes are the devices; the first of them. */
  readonly extents: readonly Extent[]
  readonly extentCount: number
  readonly fragmentCount: number
}

export type WantedFile = { readonly volume: string | null; readonly names: readonly Uint8Array[] }

export type FileMapOptions = {
  /** How many extents are returned. */
  readonly extentCountMax: number
  readonly signal: AbortSignal
}

/**
 * Maps one file of a source; null when there is none. A directory's own content is metadata of its file system, and
 * no extents are told of it. Throws FormatError and UnmappedError.
 */
export async function mapFile(
  stack: VolumeStack,
  wanted: WantedFile,
  { extentCountMax, signal }: FileMapOptions,
): Promise<FileMap | null> {
  const on = selectFileSystem(stack, wanted.volume)
  const { fileSystem, volume } = on
  const node = await resolvePath(fileSystem, wanted.names, signal)
  if (node === null) return null
  const bytes = { data: 0, zero: 0, inline: 0 }
  const volumeCount = new Count()
  const imageCount = new Count()
  const extents: Extent[] = []
  if (node.kind === 'file' && node.sizeBytes > 0) {
    const range = { offset: 0, length: node.sizeBytes }
    const onVolume = counted(fileSystem.fileExtents(node, range, signal), volumeCount)
    for await (const batch of composeExtents(onVolume, [volumeLayer(volume)])) {
      signal.throwIfAborted()
      imageCount.add(batch)
      for (const extent of batch) {
        bytes[extent.kind] += extent.length
        if (extents.length < extentCountMax) extents.push(extent)
      }
    }
  }
  return {
    on,
    node,
    dataBytes: bytes.data,
    zeroBytes: bytes.zero,
    inlineBytes: bytes.inline,
    volumeExtentCount: volumeCount.extents,
    volumeFragmentCount: volumeCount.fragments,
    extents,
    extentCount: imageCount.extents,
    fragmentCount: imageCount.fragments,
  }
}

class Count {
  extents = 0
  fragments = 0
  #last: Extent | null = null

  add(batch: readonly Extent[]): void {
    this.extents += batch.length
    const data = batch.filter((extent) => extent.kind === 'data')
    const before = this.#last === null ? [] : [this.#last]
    // The last one of the batch before was counted with it.
    this.fragments += countFragments([...before, ...data]) - before.length
    this.#last = data.at(-1) ?? this.#last
  }
}

async function* counted(
  batches: AsyncIterable<readonly Extent[]>,
  count: Count,
): AsyncGenerator<readonly Extent[]> {
  for await (const batch of batches) {
    count.add(batch)
    yield batch
  }
}
