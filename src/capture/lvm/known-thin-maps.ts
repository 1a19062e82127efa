import type { ExtentTable } from '../../extents/extent-table.ts'
import type { ThinPlace } from './thin-place.ts'

/** The map of an image that was read, and all that it depends on. */
export type KnownThinMap = ThinPlace & {
  readonly table: ExtentTable
  /** See `mappingMark()`. */
  readonly baseMark: string
}

/** 12 MiB on a host that has better things to do with its memory. */
const EXTENTS_MAX = 524_288
const MAPS_MAX = 64

/**
 * The maps of the images that were read last, by their ids. What the next image of a volume is mapped to differs from the
 * one before in what was written meanwhile, and to read all of it takes seconds of a large volume.
 */
export class KnownThinMaps {
  readonly #maps = new Map<string, KnownThinMap>()
  #extentCount = 0

  remember(id: string, map: KnownThinMap): void {
    this.#forget(id)
    this.#maps.set(id, map)
    this.#extentCount += map.table.count
    for (const oldest of this.#maps.keys()) {
      if (this.#extentCount <= EXTENTS_MAX && this.#maps.size <= MAPS_MAX) return
      this.#forget(oldest)
    }
  }

  recall(id: string): KnownThinMap | null {
    return this.#maps.get(id) ?? null
  }

  #forget(id: string): void {
    this.#extentCount -= this.#maps.get(id)?.table.count ?? 0
    this.#maps.delete(id)
  }
}
