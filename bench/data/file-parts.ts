import { join } from 'node:path'
import { copyFilesInto } from './copy-files.ts'
import type { HostFile } from './host-files.ts'
import type { Part } from './part.ts'
import { pickFiles, type PickedFiles } from './pick-files.ts'
import { seededStream } from './seeded-stream.ts'
import { writeShuffledSlices } from './shuffled-slices.ts'

export type FilePartWish = {
  readonly name: string
  readonly folder: string
  readonly candidates: readonly HostFile[]
  readonly budgetBytes: number
  /** Of the files that stand in for what the host does not have. */
  readonly standInSizeBytesMax: number
  readonly seed: string
}

export type FilePart = PickedFiles & { readonly part: Part }

/** Copies host files into `folder` up to the budget; shuffled slices of them stand in for what is missing. */
export function writeFilePart(wish: FilePartWish): FilePart {
  const stream = seededStream(`${wish.seed}/${wish.name}`)
  const chosen = pickFiles(wish.candidates, wish.budgetBytes, stream)
  copyFilesInto(wish.folder, chosen.picked)
  const missingBytes = wish.budgetBytes - chosen.pickedBytes
  const isShort = missingBytes > wish.budgetBytes * 0.02
  const standInBytes = isShort
    ? writeShuffledSlices(join(wish.folder, 'stand-in'), chosen.picked, {
        budgetBytes: missingBytes,
        fileSizeBytesMax: wish.standInSizeBytesMax,
        stream,
      })
    : 0
  const standIn = isShort ? `, and ${Math.round(standInBytes / 1e6)} MB of shuffled slices of them` : ''
  const origin = `${chosen.picked.length} files of this host${standIn}`
  return { ...chosen, part: { name: wish.name, sizeBytes: chosen.pickedBytes + standInBytes, origin } }
}
