import type { Range } from '../domain/range.ts'
import { BlockMask } from './block-mask.ts'
import { changedCatalogues, type ComparedCatalogues } from './changed-catalogue.ts'
import { changedFiles, type ChangedFiles } from './changed-files.ts'
import { changedInodes, type MappedSource } from './changed-inodes.ts'
import { changedScope } from './changed-scope.ts'
import type { FileSource } from './file-pieces.ts'
import { NotFollowed } from './not-followed.ts'
import { problemOf } from './problem-of.ts'
import type { ComparedSources } from './same-content.ts'

export type FilesComparison = ChangedFiles & {
  /** Why all folders and inodes were read, as the end of a sentence; null when only what changed was. */
  readonly walkedBecause: string | null
}

/**
 * Which files differ between the file systems of two volumes, found from the blocks that differ: which inodes lie in
 * them, which own them, and what leads to those; of sets of files, which pieces of their catalogues. Where that cannot
 * be done, by walking through all folders.
 * `changedRanges` is where the volumes may differ, ascending.
 */
export async function compareFiles(
  sources: ComparedSources,
  changedRanges: () => Iterable<Range>,
): Promise<FilesComparison> {
  try {
    return { ...(await follow(sources, changedRanges)), walkedBecause: null }
  } catch (error) {
    const walkedBecause = reasonOf(error)
    if (walkedBecause === null) throw error
    return { ...(await changedFiles(sources)), walkedBecause }
  }
}

async function follow(sources: ComparedSources, changedRanges: () => Iterable<Range>): Promise<ChangedFiles> {
  const { signal } = sources
  const catalogues = cataloguesOf(sources)
  if (catalogues !== null)
    return await changedFiles((await changedCatalogues(sources, catalogues)) ?? sources)
  const [before, after] = [mapped(sources.before), mapped(sources.after)]
  if (before.inodes.layout !== after.inodes.layout) {
    throw new NotFollowed('the file system was made anew or resized')
  }
  const mask = BlockMask.of(changedRanges(), after.fileSystem.blockSizeBytes)
  if (mask === null) throw new NotFollowed('more blocks differ than are followed')
  const inodes = await changedInodes({ before, after, changedRanges, signal }, mask)
  return await changedFiles(sources, await changedScope(after, inodes, signal))
}

/** Null where one is no set of files, or one of other chunks. */
function cataloguesOf({ before, after }: ComparedSources): ComparedCatalogues | null {
  const [one, other] = [before.fileSystem.catalogue, after.fileSystem.catalogue]
  if (one === undefined || other === undefined) return null
  if (before.fileSystem.blockSizeBytes !== after.fileSystem.blockSizeBytes) return null
  return { before: one, after: other }
}

function mapped({ fileSystem, image }: FileSource): MappedSource {
  const { inodes, allocation, format } = fileSystem
  if (inodes === undefined) throw new NotFollowed(`the blocks of this ${format} do not tell whose they are`)
  if (!allocation.proven) throw new NotFollowed(allocation.reason)
  if (image.sizeBytes < fileSystem.sizeBytes) throw new NotFollowed('the volume ends within the file system')
  return { fileSystem, image, inodes }
}

/** Null for what is no fault of the file systems. */
function reasonOf(error: unknown): string | null {
  if (error instanceof NotFollowed) return error.reason
  return problemOf(error, new Uint8Array(0))?.message ?? null
}
