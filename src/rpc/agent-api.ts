import type { DeviceIdentity } from '../domain/device-identity.ts'
import type { ExtentBatch } from '../domain/extent.ts'
import type { Degraded, FreezeRecord } from '../domain/ledger.ts'
import type { Range, RangeBatch } from '../domain/range.ts'

/**
 * What an agent does, in icecore's own words: the agent implements it, the mover calls it, and what lies between is
 * proto/icecore/v1/agent.proto. Each method throws a BackupError with the sentence of the side that failed;
 * CONNECTION_FAILED where there was no answer.
 */
export type AgentApi = {
  status(signal: AbortSignal): Promise<AgentStatus>
  listSources(signal: AbortSignal): Promise<readonly AllowedSource[]>
  freeze(order: FreezeOrder, signal: AbortSignal): Promise<FrozenByAgent>
  /** The map from `startingOffset` to the end of the image or target, covering all of it, all of one epoch. */
  extents(from: StreamFrom, signal: AbortSignal): AsyncIterable<ExtentsOfEpoch>
  /** What may differ from the image kept for `basePointId`. Throws CHANGES_UNKNOWN. */
  delta(from: StreamFrom & { readonly basePointId: string }, signal: AbortSignal): AsyncIterable<RangeBatch>
  /** The altered extents under the newest epoch; one empty batch of the epoch asked with when nothing moved. Throws IMAGE_LOST. */
  identify(from: StreamFrom & { readonly epoch: string }, signal: AbortSignal): AsyncIterable<ExtentsOfEpoch>
  /** HMAC-SHA-256 of each range under `key`, as the agent's system shows the frozen image. */
  challenge(question: ChallengeQuestion, signal: AbortSignal): Promise<readonly Uint8Array[]>
  /** The bytes of the ranges in order, in pieces of at most `PIECE_BYTES_MAX`. */
  read(
    what: { readonly imageId: string; readonly ranges: readonly Range[] },
    signal: AbortSignal,
  ): AsyncIterable<PieceOfImage>
  load(imageId: string, signal: AbortSignal): Promise<DiskLoad>
  /** Gives for how long it is held from now on. */
  renew(
    lease: { readonly groupId: string; readonly leaseSeconds: number },
    signal: AbortSignal,
  ): Promise<number>
  keep(kept: { readonly groupId: string; readonly pointId: string }, signal: AbortSignal): Promise<void>
  release(groupId: string, signal: AbortSignal): Promise<void>
  openTarget(order: TargetOrder, signal: AbortSignal): Promise<TargetOfAgent>
  /** Gives how many bytes were written. */
  write(targetId: string, pieces: AsyncIterable<PieceToWrite>, signal: AbortSignal): Promise<number>
  closeTarget(targetId: string, signal: AbortSignal): Promise<void>
  /** A PKCS #10 request, DER. */
  signingRequest(signal: AbortSignal): Promise<Uint8Array>
  installCertificate(
    issued: { readonly certificate: Uint8Array | null; readonly revoked: Uint8Array | null },
    signal: AbortSignal,
  ): Promise<void>
}

/** Where agents listen unless they are told otherwise. */
export const AGENT_PORT = 8770

export const PIECE_BYTES_MAX = 1024 * 1024
export const CHALLENGE_RANGES_MAX = 1024
export const CHALLENGE_RANGE_BYTES_MAX = 1024 * 1024
/**
 * So long after it asked a mover may write to the disks by a target's map: the agent lets nothing change where the target
 * lies for twice as long. It asks again before that.
 */
export const TARGET_WRITE_MS = 10_000

/** The map or list of an image, from an offset on: after an interruption the end of what came last. */
export type StreamFrom = { readonly imageId: string; readonly startingOffset: number }

export type ExtentsOfEpoch = {
  readonly imageSizeBytes: number
  readonly epoch: string
  readonly extents: ExtentBatch
}

export type AgentStatus = {
  readonly version: string
  readonly host: string
  readonly nowMs: number
  readonly certificateEndsAtMs: number
  readonly held: readonly HeldByAgent[]
  readonly disks: readonly DeviceIdentity[]
}

export type HeldByAgent = {
  readonly id: string
  readonly label: string
  readonly source: string
  readonly provider: string
  readonly createdAtMs: number
  /** Null while a run holds it. */
  readonly basePointId: string | null
  readonly heldBytes: number | null
}

export type AllowedSource = { readonly pattern: string; readonly mayRestore: boolean }

export type FreezeOrder = {
  readonly sources: readonly string[]
  readonly lineage: string
  readonly lineageKey: string
  readonly leaseSeconds: number
  /** `auto`, or a provider's name. */
  readonly provider: string
  readonly basePointId: string | null
}

export type FrozenByAgent = {
  readonly groupId: string
  readonly images: readonly ImageOfAgent[]
  /** Null where no hook was run and nothing was frozen beside the images. */
  readonly freeze: FreezeRecord | null
  readonly degraded: readonly Degraded[]
  /** What was granted: at most what was asked for. */
  readonly leaseSeconds: number
}

export type ImageOfAgent = {
  readonly imageId: string
  /** As it was named in the order. */
  readonly source: string
  readonly provider: string
  readonly heldId: string
  readonly heldSource: string
  readonly sizeBytes: number
  readonly sectorSizeBytes: number
  readonly epoch: string
  /** Empty when it can be read through the agent's host only. */
  readonly devices: readonly DeviceIdentity[]
  readonly base: 'none' | 'lost' | 'held'
  readonly windowMs: number | null
}

export type ChallengeQuestion = {
  readonly imageId: string
  readonly key: Uint8Array
  readonly ranges: readonly Range[]
}

export type PieceOfImage = { readonly offset: number; readonly bytes: Uint8Array }

export type PieceToWrite =
  | { readonly kind: 'data'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'zero'; readonly offset: number; readonly length: number }

/** How long the disks under an image took to answer, on average since the question before; null where nothing was asked of them. */
export type DiskLoad = {
  readonly readLatencyMs: number | null
  readonly writeLatencyMs: number | null
  readonly inFlight: number
}

export type TargetOrder = {
  readonly path: string
  readonly sizeBytesMin: number
  readonly leaseSeconds: number
}

export type TargetOfAgent = {
  readonly targetId: string
  readonly sizeBytes: number
  readonly sectorSizeBytes: number
  readonly epoch: string
  /** Empty when it can be written through the agent's host only. */
  readonly devices: readonly DeviceIdentity[]
  /** What was granted: at most what was asked for. */
  readonly leaseSeconds: number
}
