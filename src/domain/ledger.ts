import type { RunMode, Transport } from './run-mode.ts'

/** Why a run is not as good as what was asked for. A code never changes its meaning. */
export const DegradedCode = {
  /** A witness differed: the change list was thrown away and the whole image was compared. */
  ChangeListRefuted: 'CHANGE_LIST_REFUTED',
  /** A change list was given, but there is no base point that it could refer to. */
  BaseMissing: 'BASE_MISSING',
  /** The base could not be read; everything was read and stored as if there were none. */
  BaseUnusable: 'BASE_UNUSABLE',
  /** Witnesses were switched off: the change list was believed. */
  WitnessesOff: 'WITNESSES_OFF',
  /** The source was mounted for writing, and the user insisted. */
  SourceInUse: 'SOURCE_IN_USE',
  /** The fast native codec could not be loaded; the portable one did the work. */
  PortableCodec: 'PORTABLE_CODEC',
  /** Part of the index was damaged or missing and was read from the packs instead. */
  IndexRebuilt: 'INDEX_REBUILT',
  /** The frozen image of the base is not held any more: everything was compared, and a new base begins. */
  BaseImageLost: 'BASE_IMAGE_LOST',
  /** Some files of a file set cannot be read; the others are stored. */
  FilesUnreadable: 'FILES_UNREADABLE',
  /** The file system that files were taken from was not unmounted cleanly. */
  FileSystemUnclean: 'FILE_SYSTEM_UNCLEAN',
  /** A program that should have quiesced what writes to the source, or let it go on, failed. */
  HookFailed: 'HOOK_FAILED',
  /** Files were frozen one after the other while they were written: each is of one moment, not all of the same. */
  MomentsDiffer: 'MOMENTS_DIFFER',
  /** The disks could not be read on this host: the agent read and sent. */
  TransportFallback: 'TRANSPORT_FALLBACK',
  /** An agent says that what it did is not as good as asked, for a reason that this version does not know. */
  AgentDegraded: 'AGENT_DEGRADED',
} as const
export type DegradedCode = (typeof DegradedCode)[keyof typeof DegradedCode]

export type Degraded = { readonly code: DegradedCode; readonly message: string }

/**
 * How far the change list was tested. Witnesses are drawn without replacement, uniformly, from the
 * `candidateCount` chunks that the list calls unchanged and that the rotating share did not read anyway.
 */
export type WitnessRecord = {
  readonly candidateCount: number
  readonly count: number
  readonly mismatchCount: number
  /** Chunks of the rotating share: read and compared whatever the list says. */
  readonly rotatingCount: number
  /** If the list had lost `lostShare` of the candidates, the chance that every witness missed it. */
  readonly missProbability: { readonly lostShare: number; readonly probability: number }
}

/** What was found on an image: a file system, swap space, something unknown. */
export type VolumeRecord = {
  /** Empty for the image itself, `p1`, `vg0/home`. */
  readonly name: string
  /** Such as ext4, xfs, swap, unknown. */
  readonly format: string
  /** Why it proves nothing free; null when it does. */
  readonly reason: string | null
}

/** The frozen image that an object was read from, where icecore itself froze it. */
export type ImageRecord = {
  /** Such as lvm-thin. */
  readonly provider: string
  /** What no other image ever has. */
  readonly id: string
  /** What was frozen, as the system names it. */
  readonly source: string
  /** For how long writers may have waited; null where none did. */
  readonly windowMs: number | null
  /** What was read again, because it had moved while it was read. */
  readonly movedBytes: number
  /** The host that froze it, where that is another one. */
  readonly agentHost?: string
  /** Ranges of it that were read on the disks and compared with what the agent reads of it; absent where the agent sent it. */
  readonly challengeCount?: number
}

/** What was done to one object of a point. */
export type ObjectLedger = {
  readonly requestedMode: RunMode
  readonly doneMode: RunMode
  /** What holds data: neither a hole of the image file, nor proven free. */
  readonly allocatedBytes: number
  /**
   * What was left out because it is proven free: it is zeros in the point, whatever the source has there. Null when
   * everything was asked for.
   */
  readonly freeBytes: number | null
  /** What lies on the image; empty when nobody looked. */
  readonly volumes: readonly VolumeRecord[]
  readonly readBytes: number
  /** Of what was read, how much was zero and is therefore not stored. */
  readonly zeroBytes: number
  /** Bytes of chunks that differ from the base, new ones and those that became zero included. */
  readonly changedBytes: number
  readonly newChunkCount: number
  readonly reusedChunkCount: number
  /** What the change list said, before it was aligned to chunks; null without one. */
  readonly listedBytes: number | null
  readonly witnesses: WitnessRecord | null
  /** Absent where somebody else had frozen it. */
  readonly image?: ImageRecord
  /** Where the rotating share of the next run begins, as a chunk position. */
  readonly rotationNext: number
}

/** What became of one program that was run around a freeze. */
export type HookRecord = {
  readonly stage: 'before-freeze' | 'after-thaw'
  /** Without its arguments, which may hold what nobody else should read. */
  readonly program: string
  readonly durationMs: number
  /** Null when a signal ended it, or when it could not be started. */
  readonly exitCode: number | null
  /** Why it counts as failed, as half a sentence; null when it did what it should. */
  readonly failure: string | null
  /** The end of what it wrote, with what looks like a secret left out. */
  readonly output: string
}

/** How the sources were brought to stand still. */
export type FreezeRecord = {
  readonly hooks: readonly HookRecord[]
  /** The file systems that icecore froze, by their mount points. */
  readonly mountPoints: readonly string[]
  /** From before the first freeze until after the last thaw; null where nothing had to wait. */
  readonly windowMs: number | null
}

/** How a run was held back, so that those who live of the disks had more of them. */
export type PaceRecord = {
  /** The disks took longer than this to answer, so often as it was seen; null where nobody asked. */
  readonly latencyMaxMs: number | null
  readonly slowdownCount: number
  /** The slowest answer that was seen; null where none was. */
  readonly latencySeenMs: number | null
  /** Bytes a second that were allowed; null for any. */
  readonly rateBytes: number | null
  /** So long the run waited, for whatever reason. */
  readonly waitedMs: number
}

/** What a run asked for, did, read, skipped, tested and why. */
export type Ledger = {
  readonly startedAt: string
  readonly durationMs: number
  readonly icecoreVersion: string
  readonly host: string
  readonly basePointId: string | null
  readonly requested: { readonly mode: RunMode; readonly transport: Transport }
  readonly done: { readonly mode: RunMode; readonly transport: Transport }
  readonly degraded: readonly Degraded[]
  /** Bytes of packs that this run added to the store before its index and its point. */
  readonly storedBytes: number
  /** Null where no hook was run and nothing was frozen. */
  readonly freeze: FreezeRecord | null
  /** Absent where nothing held the run back. */
  readonly pace?: PaceRecord
}
