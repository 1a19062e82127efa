import type { DeviceIdentity } from './device-identity.ts'
import type { Ledger, ObjectLedger } from './ledger.ts'

/** The root of an image tree. An image of zeros has no node: `nodeId` is null. */
export type ImageRoot = {
  /** 64 hexadecimal digits. */
  readonly nodeId: string | null
  /** Chunks that are not zero. */
  readonly chunkCount: number
}

/** One image of a point: a volume, or a set of files as an image of its own (docs/formats/file-set.md). */
export type PointObject = {
  readonly name: string
  readonly kind: 'volume' | 'files'
  readonly sizeBytes: number
  readonly root: ImageRoot
  readonly source: {
    readonly path: string
    readonly type: 'file' | 'device'
    readonly identity: DeviceIdentity | null
  }
  readonly ledger: ObjectLedger
}

/** One complete, restorable state of a source. Immutable; its id is the SHA-256 of its sealed bytes, in hexadecimal. */
export type RecoveryPoint = {
  readonly lineage: string
  readonly createdAt: string
  readonly tags: readonly string[]
  readonly objects: readonly PointObject[]
  readonly ledger: Ledger
}

/** A point as it lies in a repository. */
export type StoredPoint = { readonly id: string; readonly point: RecoveryPoint }
