// Which optional structures a file system has. Version 4 keeps them in `versionnum` and `features2`, version 5 in
// three words of which the first two keep an old reader from writing or from reading. Facts: XFS Algorithms & Data
// Structures, "Superblocks"; the kernel's Documentation/filesystems/xfs.
import { FormatError, UnmappedError, type StructurePlace } from '../format-error.ts'
import { hex } from '../hex.ts'

/** The fields of a superblock that say it. */
export type FeatureWords = {
  readonly versionNumber: number
  readonly features2: number
  readonly readOnlyCompatible: number
  readonly incompatible: number
  readonly logIncompatible: number
}

export type XfsFeatures = {
  readonly version: 4 | 5
  /** Attributes in an inode may take any share of its literal area. */
  readonly attributes2: boolean
  /** Free blocks and inodes in the superblock are right only after a clean unmount; also B-trees are counted. */
  readonly lazyCounters: boolean
  /** The superblock may give inodes an alignment. */
  readonly inodeAlignment: boolean
  /** Extents have a bit for "allocated but unwritten". */
  readonly unwrittenExtents: boolean
  /** Log records may be larger than 32 KiB, and say how large. */
  readonly log2: boolean
  readonly projectIds32: boolean
  /** Names are compared without regard to ASCII case; they are stored as given. */
  readonly asciiCaseInsensitive: boolean
  /** Directory entries name the kind of their inode. */
  readonly fileType: boolean
  readonly freeInodeTree: boolean
  readonly reverseMap: boolean
  readonly reflink: boolean
  readonly inodeTreeCounters: boolean
  readonly sparseInodes: boolean
  /** Structures carry `metaUuid`; the volume's own uuid was changed since. */
  readonly metaUuid: boolean
  readonly bigTime: boolean
  /** `xfs_repair` began and did not end, or was asked to add a feature: nothing but it may use the volume. */
  readonly needsRepair: boolean
  readonly largeExtentCounters: boolean
  /** Attributes of a namespace of their own name the parents of an inode. */
  readonly parentPointers: boolean
  /** Bits that name nothing known and forbid only writing: no reader can say that what seems free is. */
  readonly unknownReadOnlyCompatible: number
  readonly logIncompatible: number
}

const VERSION_MASK = 0x000f
const VERSION = {
  alignment: 0x0080,
  shared: 0x0200,
  log2: 0x0400,
  extentFlag: 0x1000,
  directory2: 0x2000,
  asciiCaseInsensitive: 0x4000,
  moreBits: 0x8000,
} as const
const FEATURES2 = { lazyCounters: 0x02, attributes2: 0x08, projectIds32: 0x80, fileType: 0x200 } as const
const READ_ONLY_COMPATIBLE = { freeInodeTree: 1, reverseMap: 2, reflink: 4, inodeTreeCounters: 8 } as const
const INCOMPATIBLE = {
  fileType: 0x01,
  sparseInodes: 0x02,
  metaUuid: 0x04,
  bigTime: 0x08,
  needsRepair: 0x10,
  largeExtentCounters: 0x20,
  /** Two files may exchange extents at once; on disk it shows in the log alone. */
  exchangeRange: 0x40,
  parentPointers: 0x80,
} as const
/** Known by name, and not mapped. */
const UNMAPPED = { 0x100: 'metadata directory', 0x200: 'zoned realtime device', 0x400: 'zone gaps' } as const

const READ_ONLY_COMPATIBLE_KNOWN = mask(READ_ONLY_COMPATIBLE)
const INCOMPATIBLE_KNOWN = mask(INCOMPATIBLE)

/** Throws UnmappedError when the file system has a feature that readers must know and this one does not. */
export function parseFeatures(words: FeatureWords, place: StructurePlace): XfsFeatures {
  const version = words.versionNumber & VERSION_MASK
  if (version === 4) return version4(words)
  if (version === 5) return version5(words)
  if (version >= 1 && version < 4) {
    throw new UnmappedError(`XFS version ${version}`, `XFS of version ${version} is not mapped, only 4 and 5`)
  }
  throw new FormatError(place, `version is ${version}, expected 4 or 5`)
}

const VERSION_5_ONLY = {
  freeInodeTree: false,
  reverseMap: false,
  reflink: false,
  inodeTreeCounters: false,
  sparseInodes: false,
  metaUuid: false,
  bigTime: false,
  needsRepair: false,
  largeExtentCounters: false,
  parentPointers: false,
  unknownReadOnlyCompatible: 0,
  logIncompatible: 0,
} as const

function version4({ versionNumber, features2 }: FeatureWords): XfsFeatures {
  if (!has(versionNumber, VERSION.directory2)) {
    throw new UnmappedError('XFS directories of version 1', 'XFS with directories of version 1 is not mapped')
  }
  if (has(versionNumber, VERSION.shared)) {
    throw new UnmappedError('shared XFS', 'XFS with shared read-only versions is not mapped')
  }
  const more = has(versionNumber, VERSION.moreBits) ? features2 : 0
  return {
    ...VERSION_5_ONLY,
    version: 4,
    attributes2: has(more, FEATURES2.attributes2),
    lazyCounters: has(more, FEATURES2.lazyCounters),
    inodeAlignment: has(versionNumber, VERSION.alignment),
    unwrittenExtents: has(versionNumber, VERSION.extentFlag),
    log2: has(versionNumber, VERSION.log2),
    projectIds32: has(more, FEATURES2.projectIds32),
    asciiCaseInsensitive: has(versionNumber, VERSION.asciiCaseInsensitive),
    fileType: has(more, FEATURES2.fileType),
  }
}

function version5(words: FeatureWords): XfsFeatures {
  const { versionNumber, incompatible, readOnlyCompatible } = words
  refuseUnknown(incompatible)
  return {
    version: 5,
    attributes2: true,
    lazyCounters: true,
    inodeAlignment: true,
    unwrittenExtents: true,
    log2: true,
    projectIds32: has(words.features2, FEATURES2.projectIds32),
    asciiCaseInsensitive: has(versionNumber, VERSION.asciiCaseInsensitive),
    fileType: has(incompatible, INCOMPATIBLE.fileType),
    freeInodeTree: has(readOnlyCompatible, READ_ONLY_COMPATIBLE.freeInodeTree),
    reverseMap: has(readOnlyCompatible, READ_ONLY_COMPATIBLE.reverseMap),
    reflink: has(readOnlyCompatible, READ_ONLY_COMPATIBLE.reflink),
    inodeTreeCounters: has(readOnlyCompatible, READ_ONLY_COMPATIBLE.inodeTreeCounters),
    sparseInodes: has(incompatible, INCOMPATIBLE.sparseInodes),
    metaUuid: has(incompatible, INCOMPATIBLE.metaUuid),
    bigTime: has(incompatible, INCOMPATIBLE.bigTime),
    needsRepair: has(incompatible, INCOMPATIBLE.needsRepair),
    largeExtentCounters: has(incompatible, INCOMPATIBLE.largeExtentCounters),
    parentPointers: has(incompatible, INCOMPATIBLE.parentPointers),
    unknownReadOnlyCompatible: (readOnlyCompatible & ~READ_ONLY_COMPATIBLE_KNOWN) >>> 0,
    logIncompatible: words.logIncompatible,
  }
}

function refuseUnknown(incompatible: number): void {
  const unknown = (incompatible & ~INCOMPATIBLE_KNOWN) >>> 0
  if (unknown === 0) return
  const names: string[] = []
  let rest = unknown
  for (const [bit, name] of Object.entries(UNMAPPED)) {
    if (!has(unknown, Number(bit))) continue
    names.push(name)
    rest &= ~Number(bit)
  }
  if (rest !== 0) names.push(`unknown feature bits ${hex(rest >>> 0)}`)
  const what = `XFS with ${names.join(', ')}`
  throw new UnmappedError(what, `${what} is not mapped`)
}

function has(word: number, bit: number): boolean {
  return (word & bit) !== 0
}

function mask(bits: Readonly<Record<string, number>>): number {
  return Object.values(bits).reduce((sum, bit) => sum | bit, 0)
}
