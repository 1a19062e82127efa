import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { fileSystemVolumes } from '../formats/volume-stack/file-system-volumes.ts'
import type { OpenPoint } from './open-point-files.ts'

/** Volumes of two points that are compared with one another. */
export type VolumePairs = {
  /** A name, or null for the only one there is. */
  readonly compared: readonly { readonly before: string | null; readonly after: string | null }[]
  /** Of volumes that only one of the points has. */
  readonly onlyBefore: readonly string[]
  readonly onlyAfter: readonly string[]
}

type Points = { readonly before: OpenPoint; readonly after: OpenPoint }

/** The volumes of that name; without one those of equal names, or the only two there are. Throws VOLUME_MISSING. */
export function pairVolumes({ before, after }: Points, name: string | undefined): VolumePairs {
  const none = { onlyBefore: [], onlyAfter: [] }
  if (name !== undefined) return { compared: [{ before: name, after: name }], ...none }
  const [left, right] = [before, after].map(({ stack }) =>
    fileSystemVolumes(stack).map(({ volume }) => volume.name),
  )
  // Where there is none or one, the choice is nobody's, or no choice.
  if (left === undefined || right === undefined || left.length < 2 || right.length < 2) {
    return { compared: [{ before: null, after: null }], ...none }
  }
  const both = left.filter((one) => right.includes(one))
  if (both.length === 0) {
    const message = `Cannot compare files of ${before.where} and ${after.where}: no volume of the one has the name of one of the other`
    throw new BackupError(ErrorCode.VolumeMissing, message, { data: { before: left, after: right } })
  }
  return {
    compared: both.map((one) => ({ before: one, after: one })),
    onlyBefore: left.filter((one) => !right.includes(one)),
    onlyAfter: right.filter((one) => !left.includes(one)),
  }
}
