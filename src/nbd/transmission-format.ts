// Numbers and layouts of the transmission phase, from "The NBD protocol", doc/proto.md of the NBD project, with its
// extended headers. Big-endian.
import type { Layout } from '../bytes/struct.ts'

export const Command = { Read: 0, Disconnect: 2, BlockStatus: 7 } as const
export type Command = (typeof Command)[keyof typeof Command]

export const REQUEST_MAGIC = 0x25609513
export const REQUEST = {
  magic: [0, 'u32be'],
  flags: [4, 'u16be'],
  command: [6, 'u16be'],
  cookie: [8, 'u64be'],
  offset: [16, 'u64be'],
  length: [24, 'u32be'],
} as const satisfies Layout

export const EXTENDED_REQUEST_MAGIC = 0x21e41c71
export const EXTENDED_REQUEST = { ...REQUEST, length: [24, 'u64be'] } as const satisfies Layout

export const SIMPLE_REPLY_MAGIC = 0x67446698
export const SIMPLE_REPLY = {
  magic: [0, 'u32be'],
  error: [4, 'u32be'],
  cookie: [8, 'u64be'],
} as const satisfies Layout

export const STRUCTURED_REPLY_MAGIC = 0x668e33ef
export const STRUCTURED_REPLY = {
  magic: [0, 'u32be'],
  flags: [4, 'u16be'],
  type: [6, 'u16be'],
  cookie: [8, 'u64be'],
  length: [16, 'u32be'],
} as const satisfies Layout

export const EXTENDED_REPLY_MAGIC = 0x6e8a278c
export const EXTENDED_REPLY = {
  ...STRUCTURED_REPLY,
  offset: [16, 'u64be'],
  length: [24, 'u64be'],
} as const satisfies Layout

/** The last chunk of a reply. */
export const DONE = 1

export const ChunkType = {
  None: 0,
  OffsetData: 1,
  OffsetHole: 2,
  BlockStatus: 5,
  BlockStatusExtended: 6,
  Error: 0x8001,
  ErrorOffset: 0x8002,
} as const
/** Types from here on are errors, also those that are not known. */
export const FIRST_ERROR_CHUNK = 0x8000

export const DATA_HEAD = { offset: [0, 'u64be'] } as const satisfies Layout
export const HOLE = { offset: [0, 'u64be'], length: [8, 'u32be'] } as const satisfies Layout
export const ERROR_HEAD = { error: [0, 'u32be'], messageLength: [4, 'u16be'] } as const satisfies Layout

/** Errors of requests have the numbers of Linux. */
export const ERROR_NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  5: 'EIO',
  12: 'ENOMEM',
  22: 'EINVAL',
  28: 'ENOSPC',
  75: 'EOVERFLOW',
  95: 'ENOTSUP',
  108: 'ESHUTDOWN',
}
