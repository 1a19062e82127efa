// The persistent exception store of dm-snapshot, version 1, all little-endian. References: kernel documentation,
// admin-guide/device-mapper/snapshot.rst; the format as the comment in drivers/md/dm-snap-persistent.c draws it.
//
//   chunk 0   1        2 … n+1      n+2      n+3 … 2n+2   2n+3
//   ┌────────┬────────┬────────────┬────────┬────────────┬────────┬──
//   │ header │ area 0 │ copies     │ area 1 │ copies     │ area 2 │ …      n = chunk size / 16
//   └────────┴────────┴────────────┴────────┴────────────┴────────┴──
//
// An area is one chunk of n exceptions, each a pair: the chunk of the origin, and the chunk here that holds what it
// was. They are in the order of copying; the first whose second number is 0 ends them all.
import type { Layout } from '../../bytes/struct.ts'

export const SECTOR_BYTES = 512

/** "SnAp" */
export const STORE_MAGIC = 0x70416e53
export const STORE_VERSION = 1
export const STORE_HEADER = {
  magic: [0x00, 'u32le'],
  /** 0 when the snapshot was lost: it did not fit, or the store could not be written. */
  valid: [0x04, 'u32le'],
  version: [0x08, 'u32le'],
  chunkSectors: [0x0c, 'u32le'],
} as const satisfies Layout
export const STORE_HEADER_BYTES = 0x10

/** Before the first area. */
export const HEADER_CHUNKS = 1
/** An exception: the chunk of the origin in 8 bytes, the chunk of the store in 8 bytes. */
export const EXCEPTION_BYTES = 16

/** The tools allow 512 KiB, the kernel some more; the largest that is still a chunk and not damage. */
export const CHUNK_BYTES_MAX = 64 * 1024 * 1024
