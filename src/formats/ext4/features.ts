// The feature words of the superblock, from the kernel's "ext4 Data Structures and Algorithms", section "The Super
// Block". Names are those that `dumpe2fs` prints, in camelCase.

const COMPATIBLE = {
  hasJournal: 0x4,
  extendedAttributes: 0x8,
  resizeInode: 0x10,
  directoryIndex: 0x20,
  sparseSuper2: 0x200,
  fastCommit: 0x400,
  stableInodes: 0x800,
  orphanFile: 0x1000,
} as const

/** Who does not know one of these must not touch the file system at all. */
const INCOMPATIBLE = {
  fileType: 0x2,
  needsRecovery: 0x4,
  metaBlockGroups: 0x10,
  extents: 0x40,
  bits64: 0x80,
  multipleMountProtection: 0x100,
  flexibleBlockGroups: 0x200,
  attributeInodes: 0x400,
  checksumSeed: 0x2000,
  largeDirectories: 0x4000,
  inlineData: 0x8000,
  encrypt: 0x10000,
  casefold: 0x20000,
} as const

/** Who does not know one of these may read, but cannot know what is free. */
const READ_ONLY_COMPATIBLE = {
  sparseSuper: 0x1,
  largeFiles: 0x2,
  btreeDirectories: 0x4,
  hugeFiles: 0x8,
  groupChecksums: 0x10,
  directoryLinks: 0x20,
  extraInodeSize: 0x40,
  quota: 0x100,
  bigalloc: 0x200,
  metadataChecksums: 0x400,
  readOnly: 0x1000,
  projectQuota: 0x2000,
  sharedBlocks: 0x4000,
  verity: 0x8000,
  orphanPresent: 0x10000,
} as const

/** Features that have a name and are not mapped. */
const INCOMPATIBLE_REFUSED: Readonly<Record<number, string>> = {
  0x1: 'compression',
  0x8: 'journal_dev',
  0x1000: 'dirdata',
}
const READ_ONLY_UNKNOWN: Readonly<Record<number, string>> = {
  0x80: 'has_snapshot',
  0x800: 'replica',
}

type Bits = Readonly<Record<string, number>>
type Flags<T extends Bits> = { readonly [Name in keyof T]: boolean }

/** Every feature that is known, and the names of those that are not. */
export type Features = Flags<typeof COMPATIBLE> &
  Flags<typeof INCOMPATIBLE> &
  Flags<typeof READ_ONLY_COMPATIBLE> & {
    /** Such as `dirdata` or `incompat 0x800000`: the file system is refused. */
    readonly unknownIncompatible: readonly string[]
    /** The file system can be read, but what it calls free is not proven to be. */
    readonly unknownReadOnly: readonly string[]
    /** Whether ext2 and ext3 know every feature that it has: those names are theirs alone. */
    readonly beyondExt3: boolean
  }

export type FeatureWords = {
  readonly compatible: number
  readonly incompatible: number
  readonly readOnlyCompatible: number
}

/** filetype, needs_recovery and meta_bg; sparse_super, large_file and btree_dir. */
const EXT3_INCOMPATIBLE = 0x16
const EXT3_READ_ONLY = 0x7

export function parseFeatures(words: FeatureWords): Features {
  return {
    ...flags(COMPATIBLE, words.compatible),
    ...flags(INCOMPATIBLE, words.incompatible),
    ...flags(READ_ONLY_COMPATIBLE, words.readOnlyCompatible),
    unknownIncompatible: unknownBits(words.incompatible, INCOMPATIBLE).map(
      (bit) => INCOMPATIBLE_REFUSED[bit] ?? `incompat 0x${bit.toString(16)}`,
    ),
    unknownReadOnly: unknownBits(words.readOnlyCompatible, READ_ONLY_COMPATIBLE).map(
      (bit) => READ_ONLY_UNKNOWN[bit] ?? `ro_compat 0x${bit.toString(16)}`,
    ),
    beyondExt3:
      (words.incompatible & ~EXT3_INCOMPATIBLE) !== 0 || (words.readOnlyCompatible & ~EXT3_READ_ONLY) !== 0,
  }
}

function flags<T extends Bits>(bits: T, word: number): Flags<T> {
  const entries = Object.entries(bits).map(([name, bit]) => [name, (word & bit) !== 0])
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the line above is what makes it one
  return Object.fromEntries(entries) as Flags<T>
}

function unknownBits(word: number, known: Bits): readonly number[] {
  const knownWord = Object.values(known).reduce((all, bit) => all | bit, 0)
  const unknown = word & ~knownWord
  return Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0).filter((bit) => (unknown & bit) !== 0)
}
