import type { DeviceIdentity } from '../domain/device-identity.ts'
import type { ExtentBatch } from '../domain/extent.ts'
import type { Range } from '../domain/range.ts'

/** Where the bytes of a target lie on the disks under it, as long as somebody else writes them there. */
export type TargetMap = AsyncDisposable & {
  /** What the extents' device numbers mean. */
  readonly devices: readonly DeviceIdentity[]
  /**
   * Lets nobody on this host change where the bytes lie until `letGo()`, and tells where they lie now. Throws TARGET_CHANGED
   * when that is not the volume any more, or cannot be told just now.
   */
  hold(signal: AbortSignal): Promise<PlacedTarget>
  letGo(): void
  /** Drops what this host has cached of the disks. */
  forget(): void
}

export type PlacedTarget = {
  /** Another when anything lies elsewhere. */
  readonly epoch: string
  extents(range: Range): Iterable<ExtentBatch>
}
