// Numbers and layouts of the handshake, from "The NBD protocol", doc/proto.md of the NBD project. Big-endian.
import type { Layout } from '../bytes/struct.ts'

/** "NBDMAGIC", the first thing that every server says. */
export const SERVER_MAGIC = Uint8Array.of(0x4e, 0x42, 0x44, 0x4d, 0x41, 0x47, 0x49, 0x43)
/** "IHAVEOPT": a newstyle server says it next, a client before each option. */
export const OPTION_MAGIC = Uint8Array.of(0x49, 0x48, 0x41, 0x56, 0x45, 0x4f, 0x50, 0x54)
/** What an oldstyle server says instead. */
export const OLDSTYLE_MAGIC = Uint8Array.of(0x00, 0x00, 0x42, 0x02, 0x81, 0x86, 0x12, 0x53)
export const OPTION_REPLY_MAGIC = Uint8Array.of(0x00, 0x03, 0xe8, 0x89, 0x04, 0x55, 0x65, 0xa9)

/** Flags of the greeting; a client answers with the same bits. */
export const FIXED_NEWSTYLE = 1
export const NO_ZEROES = 2

export const GREETING = {
  magic: [0, ['bytes', 8]],
  optionMagic: [8, ['bytes', 8]],
  flags: [16, 'u16be'],
} as const satisfies Layout

export const CLIENT_FLAGS = { flags: [0, 'u32be'] } as const satisfies Layout

export const OPTION_HEADER = {
  magic: [0, ['bytes', 8]],
  option: [8, 'u32be'],
  length: [12, 'u32be'],
} as const satisfies Layout

export const OPTION_REPLY = {
  magic: [0, ['bytes', 8]],
  option: [8, 'u32be'],
  type: [12, 'u32be'],
  length: [16, 'u32be'],
} as const satisfies Layout

export const NbdOption = {
  Abort: 2,
  StartTls: 5,
  Go: 7,
  StructuredReply: 8,
  SetMetaContext: 10,
  ExtendedHeaders: 11,
} as const
export type NbdOption = (typeof NbdOption)[keyof typeof NbdOption]

export const OptionReply = { Ack: 1, Info: 3, MetaContext: 4 } as const

/** Types of replies from here on are errors. */
export const FIRST_OPTION_ERROR = 2 ** 31
export const OptionError = {
  Unsupported: FIRST_OPTION_ERROR + 1,
  Policy: FIRST_OPTION_ERROR + 2,
  Invalid: FIRST_OPTION_ERROR + 3,
  Platform: FIRST_OPTION_ERROR + 4,
  TlsRequired: FIRST_OPTION_ERROR + 5,
  Unknown: FIRST_OPTION_ERROR + 6,
  ShuttingDown: FIRST_OPTION_ERROR + 7,
  BlockSizeRequired: FIRST_OPTION_ERROR + 8,
  TooBig: FIRST_OPTION_ERROR + 9,
  ExtendedHeadersRequired: FIRST_OPTION_ERROR + 10,
} as const

/** What a client may ask of an export, and a server may tell. */
export const InfoType = { Export: 0, BlockSize: 3 } as const

export const INFO_EXPORT = {
  type: [0, 'u16be'],
  sizeBytes: [2, 'u64be'],
  flags: [10, 'u16be'],
} as const satisfies Layout

export const INFO_BLOCK_SIZE = {
  type: [0, 'u16be'],
  minimum: [2, 'u32be'],
  preferred: [6, 'u32be'],
  maximum: [10, 'u32be'],
} as const satisfies Layout

/** Flags of an export. */
export const HAS_FLAGS = 1
export const CAN_MULTI_CONN = 1 << 8
