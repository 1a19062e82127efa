import type { CheckCode } from './problem.ts'

/** What reading a whole pack found. Plain data, so that it crosses threads. */
export type PackFindings = {
  readonly packId: string
  readonly sizeBytes: number
  readonly chunkCount: number
  readonly nodeCount: number
  /** Over the pack's directory (entry-sum.ts). */
  readonly entrySum: number
  /** Null when every byte is as it should be. */
  readonly damage: { readonly code: CheckCode; readonly reason: string } | null
}

/** Packs are read and verified here, several at a time. */
export type CheckLanes = AsyncDisposable & {
  readonly count: number
  check(packId: string): Promise<PackFindings>
}

/** The findings of a pack that could not be verified to its end. */
export function damagedPack(
  pack: { readonly packId: string; readonly sizeBytes: number },
  damage: NonNullable<PackFindings['damage']>,
): PackFindings {
  return { ...pack, chunkCount: 0, nodeCount: 0, entrySum: 0, damage }
}
