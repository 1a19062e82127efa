import { readSparse, type SparseBytes } from '../../test/support/sparse-bytes.ts'
import { findExt4 } from './structures/find-ext4.ts'
import { findFileSet } from './structures/find-file-set.ts'
import { findLvm2 } from './structures/find-lvm2.ts'
import { findGpt, findMbr, findSnapshotStore } from './structures/find-tables.ts'
import { findThin } from './structures/find-thin.ts'
import { findXfs } from './structures/find-xfs.ts'
import {
  placeStructures,
  targetAt,
  type LocalStructure,
  type Structure,
  type Target,
  type VolumePlace,
} from './structure.ts'

const FINDERS = {
  ext4: findExt4,
  xfs: findXfs,
  lvm2: findLvm2,
  'dm-thin': findThin,
  'dm-snapshot': findSnapshotStore,
  gpt: findGpt,
  mbr: findMbr,
  'file-set': findFileSet,
} as const satisfies Readonly<Record<string, (target: Target) => LocalStructure[]>>

export type FormatName = keyof typeof FINDERS

export const KINDS = [
  'ext4',
  'xfs',
  'lvm2',
  'dm-thin',
  'dm-snapshot',
  'gpt',
  'mbr',
  'file-set',
  'stack',
] as const
export type Kind = (typeof KINDS)[number]

/** What lies where on some images that the real tools made. */
export type BaseDraft = {
  readonly name: string
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[]
  readonly parts: readonly (VolumePlace & { readonly format: FormatName })[]
}

/** Sound images, and all that can be damaged on them. */
export type Base = {
  readonly name: string
  readonly images: readonly SparseBytes[]
  readonly structures: readonly Structure[]
}

export async function loadBase({ name, files, parts }: BaseDraft): Promise<Base> {
  const images = await Promise.all(files.map(({ path, sizeBytes }) => readSparse(path, sizeBytes)))
  const structures = parts.flatMap((part) => {
    const target = targetAt(images, part)
    const found = FINDERS[part.format](target)
    if (found.length === 0) throw new RangeError(`there is nothing of ${part.format} on ${name}`)
    return placeStructures(
      found.map((each) => ({ ...each, kind: `${part.format} ${each.kind}` })),
      { place: part, target },
    )
  })
  return { name, images, structures }
}
