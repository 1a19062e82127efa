import type { Kind } from './base.ts'

/** Parts of the time: the more a kind has to get wrong, and the longer its cases take, the more. */
const SHARES: Readonly<Record<Kind, number>> = {
  ext4: 8,
  xfs: 8,
  lvm2: 3,
  'dm-thin': 2,
  'dm-snapshot': 1,
  gpt: 1.5,
  mbr: 1.5,
  'file-set': 2,
  stack: 3,
}

/** Milliseconds for one of some kinds, of `ms` for all of them. */
export function shareMs(kind: Kind, kinds: readonly Kind[], ms: number): number {
  const sum = kinds.reduce((total, each) => total + SHARES[each], 0)
  return (ms * SHARES[kind]) / sum
}
