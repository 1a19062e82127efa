// Reads the journal of a file system, and replays it in memory when it has to be.
import { hex } from '../../hex.ts'
import { overlayImage, type BlockOverlay } from '../../../images/overlay-image.ts'
import { FormatError, UnmappedError } from '../../format-error.ts'

import type { BlockSpan } from '../metadata-places.ts'
import type { Ext4Volume } from '../volume.ts'
import { scanFastCommits, type FastCommit } from '../fast-commit/scan-fast-commits.ts'
import { JournalReader, openJournalFile, type JournalFile } from './journal-file.ts'
import { parseJournalSuperblock } from './journal-superblock.ts'
import { replayLog } from './replay-log.ts'
import { scanLog, type OpenJournal } from './scan-log.ts'

export type Recovery = {
  /** What the journal still has to write; null when there is nothing. */
  readonly overlay: BlockOverlay | null
  /** What is to be done again on files after that. */
  readonly fastCommits: readonly FastCommit[]
  /** The blocks that hold the journal, in the order of the journal. */
  readonly journalRuns: readonly BlockSpan[]
  /** Why the journal shows that bitmaps prove nothing, as the end of a sentence; null when it does not. */
  readonly objection: string | null
}

const NOTHING: Recovery = { overlay: null, fastCommits: [], journalRuns: [], objection: null }

/**
 * What the journal says of `volume`, whose image is as it lies on the disk. A journal that is damaged, or of a kind
 * that is not known, is reported and left out: the files may still be readable.
 *
 * `isBackup`: a backup superblock does not know whether recovery is needed, so a journal that holds something is
 * replayed.
 */
export async function recoverVolume(volume: Ext4Volume, isBackup: boolean): Promise<Recovery> {
  const { features, journalInode } = volume.superblock
  if (!features.hasJournal) return NOTHING
  if (journalInode === 0) {
    const found = 'its journal is on another device, and is not read'
    volume.report({ structure: 'ext4 superblock', offsetBytes: 1024, found })
    return { ...NOTHING, objection: 'its journal is on another device' }
  }
  let journalRuns: readonly BlockSpan[] = []
  try {
    const file = await openJournalFile(volume)
    journalRuns = file.runs
    const journal = await openJournal(volume, file)
    return { ...(await recoverFrom(volume, journal, isBackup)), journalRuns }
  } catch (error) {
    if (error instanceof FormatError) {
      const { structure, offsetBytes } = error
      volume.report({ structure, offsetBytes, found: `the journal is not replayed: ${error.message}` })
      return { ...NOTHING, journalRuns, objection: 'its journal is damaged' }
    }
    if (!(error instanceof UnmappedError)) throw error
    const offsetBytes = (journalRuns[0]?.block ?? 0) * volume.superblock.blockSizeBytes
    volume.report({ structure: 'ext4 journal', offsetBytes, found: error.message })
    return { ...NOTHING, journalRuns, objection: `it has a ${error.what}` }
  }
}

/** The volume as it is after its log was replayed. */
export function recoveredVolume(volume: Ext4Volume, { overlay }: Recovery): Ext4Volume {
  return overlay === null ? volume : { ...volume, image: overlayImage(volume.image, overlay) }
}

async function openJournal(volume: Ext4Volume, file: JournalFile): Promise<OpenJournal> {
  const reader = new JournalReader(volume, file)
  const structure = 'ext4 journal superblock'
  const bytes = file.blockCount === 0 ? null : await reader.read(0)
  if (bytes === null) {
    throw new FormatError({ structure, offsetBytes: 0 }, 'it lies beyond the end of the image')
  }
  const place = { structure, offsetBytes: reader.offsetOf(0) }
  const superblock = parseJournalSuperblock(bytes, place)
  if (superblock.blockSizeBytes !== volume.superblock.blockSizeBytes) {
    throw new FormatError(place, `its blocks have ${superblock.blockSizeBytes} bytes`)
  }
  if (superblock.blockCount > file.blockCount) {
    throw new FormatError(place, `it has ${superblock.blockCount} blocks in a file of ${file.blockCount}`)
  }
  return { superblock, reader, offsetBytes: place.offsetBytes }
}

async function recoverFrom(
  volume: Ext4Volume,
  journal: OpenJournal,
  isBackup: boolean,
): Promise<Omit<Recovery, 'journalRuns'>> {
  const { superblock, offsetBytes } = journal
  const place = { structure: 'ext4 journal superblock', offsetBytes }
  if (superblock.errorNumber !== 0) {
    const found = `the kernel gave up on the journal with error ${hex(superblock.errorNumber)}`
    volume.report({ ...place, found })
  }
  const gaveUp = superblock.errorNumber === 0 ? null : 'its journal was given up after an error'
  if (superblock.startBlock === 0) return { ...NOTHING, objection: gaveUp }
  if (!volume.superblock.features.needsRecovery && !isBackup) {
    const found =
      'the journal holds transactions, but the file system does not ask for recovery; none is replayed'
    volume.report({ ...place, found })
    return { ...NOTHING, objection: 'its journal is not empty' }
  }
  const log = await scanLog(journal)
  const overlay = await replayLog(volume, journal, log)
  if (log.objection !== null) {
    volume.report({
      structure: `block ${log.objection.place} of the ext4 journal`,
      offsetBytes: journal.reader.offsetOf(log.objection.place),
      found: `${log.objection.found}; it and what follows are not replayed`,
    })
  }
  const fastCommits = await readFastCommits(volume, journal, log.nextSequence)
  return { overlay, fastCommits, objection: 'its journal needs recovery' }
}

async function readFastCommits(
  volume: Ext4Volume,
  journal: OpenJournal,
  transaction: number,
): Promise<readonly FastCommit[]> {
  const { superblock } = journal
  try {
    const terms = { transaction, inodeSizeBytes: volume.superblock.inodeSizeBytes }
    const { commits, objection } = await scanFastCommits(journal, terms)
    if (objection !== null) {
      const { place, found } = objection
      volume.report({
        structure: `block ${place} of the ext4 journal`,
        offsetBytes: journal.reader.offsetOf(place),
        found: `fast commits begin, and none is whole: ${found}; none is replayed`,
      })
    }
    return commits
  } catch (error) {
    if (!(error instanceof UnmappedError)) throw error
    const offsetBytes = journal.reader.offsetOf(superblock.endBlock)
    volume.report({ structure: 'fast commits of the ext4 journal', offsetBytes, found: error.message })
    return []
  }
}
