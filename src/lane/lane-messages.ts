import type { CheckSetUp } from './check-messages.ts'
import type { NbdTlsFiles } from './nbd-tls.ts'
import type { RestoreSetUp } from './restore-messages.ts'
import type { SealJob, SealOutcome, StoredPack } from '../mover/seal-lanes.ts'
import type { RepositoryConfig } from '../repository/config.ts'
import type { RepositoryKeys } from '../repository/keys.ts'
import type { LocalIndexHandle } from '../stores/local-index/local-index.ts'

/** How a thread opens the store for itself. */
export type StoreAddress = { readonly kind: 'directory'; readonly path: string; readonly writerId: string }

/** A file or device that the main thread holds open: descriptors belong to the process, not to a thread. */
export type DescriptorAddress = {
  readonly path: string
  readonly fd: number
  readonly sizeBytes: number
  readonly direct: boolean
}

/** An export of an NBD server; every lane connects for itself. */
export type NbdAddress = {
  readonly uri: string
  readonly sizeBytes: number
  readonly tlsFiles: NbdTlsFiles
  /** Of each lane. */
  readonly connectionsMax: number
}

/** How a thread reaches an agent; `tls` is the memory of a `SharedTls`: the key of the run is on no disk. */
export type AgentLink = { readonly host: string; readonly port: number; readonly tls: SharedArrayBuffer }

/** An image that an agent reads and sends; every lane connects for itself. */
export type AgentAddress = {
  readonly agent: AgentLink
  readonly imageId: string
  readonly sizeBytes: number
}

export type DeviceAddress = DescriptorAddress | NbdAddress | AgentAddress

/** An image that lies in pieces on files or devices. */
export type MappedAddress = {
  readonly sizeBytes: number
  /** The map in its compact encoding, in shared memory; its devices are `devices`, by number. */
  readonly map: Uint8Array<SharedArrayBuffer>
  readonly devices: readonly DeviceAddress[]
}

export type SourceAddress = DeviceAddress | MappedAddress

/** What every lane begins with. */
export type LaneSetUp = {
  readonly store: StoreAddress
  readonly config: RepositoryConfig
  readonly keys: RepositoryKeys | null
  readonly index: LocalIndexHandle
}

export type SealSetUp = LaneSetUp & {
  readonly work: 'seal'
  readonly known: SharedArrayBuffer
  readonly sources: readonly SourceAddress[]
}

export type SealRequest =
  | { readonly type: 'seal'; readonly job: SealJob }
  | { readonly type: 'remap'; readonly source: number; readonly map: Uint8Array<SharedArrayBuffer> }
  | { readonly type: 'drain' }
export type SealResult = SealOutcome | null
export type SealEvent = StoredPack

/** The work that a lane's thread is made for. */
export type WorkerSetUp = SealSetUp | RestoreSetUp | CheckSetUp
