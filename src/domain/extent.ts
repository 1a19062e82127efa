/**
 * A run of bytes of an image, and where it lies. Offsets and lengths are bytes, safe integers; lengths are at
 * least 1. `device` is an index into the map's table of device identities, so that ten million extents do not
 * carry ten million names.
 */
export type Extent =
  | {
      readonly kind: 'data'
      readonly offset: number
      readonly length: number
      readonly device: number
      readonly physicalOffset: number
    }
  | { readonly kind: 'zero'; readonly offset: number; readonly length: number }
  | {
      readonly kind: 'inline'
      readonly offset: number
      readonly length: number
      readonly bytes: Uint8Array
    }

/** Extents of one map, ascending and not overlapping; a map is a stream of such batches covering 0 to its size. */
export type ExtentBatch = readonly Extent[]
