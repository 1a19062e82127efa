import { findProvenFree } from '../../capture/proven-free.ts'
import type { Range } from '../../domain/range.ts'
import { intersectRanges } from '../../extents/intersect-ranges.ts'
import { measureRanges } from '../../extents/measure-ranges.ts'
import { openLocalSource } from '../../linux/local-source.ts'

/** How many bytes of `ranges` the file system of an image file has in use: a backup need not keep the others. */
export async function bytesInUse(
  path: string,
  ranges: readonly Range[],
  about: { readonly chunkSizeBytes: number; readonly signal: AbortSignal },
): Promise<number> {
  const { chunkSizeBytes, signal } = about
  await using source = await openLocalSource(path)
  const images = [{ name: '', image: source.image() }]
  const [found] = await findProvenFree(images, { atLeastBytes: chunkSizeBytes, signal })
  const all = await measureRanges([ranges])
  const free = await measureRanges(intersectRanges([ranges], [found?.ranges ?? []]))
  return all.lengthBytes - free.lengthBytes
}

/** How many bytes of `ranges` an image file holds as anything but holes. */
export async function bytesWritten(
  path: string,
  ranges: readonly Range[],
  signal: AbortSignal,
): Promise<number> {
  await using source = await openLocalSource(path)
  const data = source.dataRanges({ offset: 0, length: source.sizeBytes }, signal)
  return (await measureRanges(intersectRanges([ranges], data))).lengthBytes
}
