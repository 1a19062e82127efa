import type { Encoding, EntryKind } from './pack-format.ts'

/** Where a chunk or node lies. */
export type ChunkLocation = {
  readonly packId: string
  readonly offset: number
  /** Bytes in the pack, the tag included. */
  readonly storedSize: number
  readonly kind: EntryKind
  readonly encoding: Encoding
}

/** Finds ids in the index; synchronous, because it is asked for every chunk. */
export type ChunkLocator = {
  locate(id: Uint8Array): ChunkLocation | null
}
