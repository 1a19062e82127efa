import type { FrozenImage } from '../domain/frozen-image.ts'
import { PageCache } from './page-cache.ts'

/**
 * An image that reads whole pages and keeps the ones used last: structures of some hundred bytes that lie together
 * cost one read. Reads need not be aligned. One that is read through a cache already is returned as it is: a second
 * cache would keep the same bytes. It borrows: to dispose of it leaves the image open.
 */
export function cachedImage(image: FrozenImage, cache: PageCache = new PageCache()): FrozenImage {
  if (image.isCached === true) return image
  const pages = cache.add(image)
  return {
    sizeBytes: image.sizeBytes,
    sectorSizeBytes: image.sectorSizeBytes,
    isCached: true,
    uncached: { readInto: (target, offset) => image.readInto(target, offset) },
    extents: (range, signal) => image.extents(range, signal),
    readInto: (target, offset) => cache.readInto(pages, target, offset),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
