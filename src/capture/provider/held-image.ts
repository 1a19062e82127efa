/** A frozen image that a provider holds. All of this is found again on the image itself: no file of ours is needed. */
export type HeldImage = {
  /** The provider's name. */
  readonly provider: string
  /** What no other image ever has: the UUID of a logical volume, the inode and generation of a clone. */
  readonly id: string
  /** What people know it by: `vg0/icecore-…`, a path. */
  readonly label: string
  /** What it was frozen from, as the system names it. */
  readonly source: string
  readonly lineageKey: string
  readonly use: HeldUse
  /** Since 1970. */
  readonly createdAtMs: number
  /** What only this image keeps from being freed, and what the pool or file system has left; null where nobody knows. */
  readonly cost: { readonly heldBytes: number | null; readonly roomBytes: number | null }
}

/** A run's image ends with its lease; a base is held until the next run of its lineage, for the point that it was read for. */
export type HeldUse =
  /** `owner` is the process, as the program names processes: it tells whether a run still goes on. */
  | { readonly kind: 'run'; readonly leaseEndsAtMs: number; readonly owner: string }
  | { readonly kind: 'base'; readonly pointId: string }
