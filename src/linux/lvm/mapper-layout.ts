// The structures of device-mapper's calls, all little-endian here: linux/dm-ioctl.h of the kernel's user API.
//
//   struct dm_ioctl ┌ data_start ▼
//   … target_count … flags …     ┌ sector u64 │ length u64 │ status s32 │ next u32 │ type, 16 bytes ┐ text, 0, padding ┐ …
//                                └────────────────────────── struct dm_target_spec ───────────────┘                  ▲
//                                               `next`: from data_start on in answers, from this target on in tables ─┘

/** struct dm_ioctl. */
export const HEADER = {
  version: 0,
  dataSize: 12,
  dataStart: 16,
  targetCount: 20,
  flags: 28,
  name: 48,
} as const
/** It is part of the number of every call. */
export const HEADER_BYTES = 312
export const NAME_BYTES = 128

/** struct dm_target_spec. */
export const SPEC = { sectorStart: 0, length: 8, next: 20, type: 24 } as const
export const SPEC_BYTES = 40
export const TYPE_BYTES = 16
