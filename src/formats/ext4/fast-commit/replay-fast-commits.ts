// Does fast commits again, in memory, on the files of a volume whose log was replayed. The kernel's "ext4 Data
// Structures and Algorithms", section "Fast commits", says that each record may be done again without harm; what that
// means where it says no more was learned from what a mount makes of images that a kernel wrote.
import { FormatError, UnmappedError } from '../../format-error.ts'
import { readDirectoryEntries } from '../directory.ts'
import { inodeDamage, isFlagged } from '../inode.ts'
import { InodeFlag } from '../inode-layout.ts'
import { inodePlace, readInode, readInodeBytes } from '../read-inode.ts'
import { requireBlocks, type Ext4Volume } from '../volume.ts'
import { nameKey, type ChangedFiles, type ChangedInode, type ChangedNames } from './changed-files.ts'
import type { FastCommitRecord, NameRecord, RangeRecord } from './fast-commit-records.ts'
import { generationOf, InodeState } from './inode-state.ts'
import type { FastCommit } from './scan-fast-commits.ts'

const STRUCTURE = 'ext4 fast commit'

/** Reports what cannot be done again safely; the files that it is about are then refused, not shown wrong. */
export async function replayFastCommits(
  volume: Ext4Volume,
  commits: readonly FastCommit[],
): Promise<ChangedFiles> {
  const replay = new Replay(volume, commits)
  for (const commit of commits) {
    await replay.beginFiles(commit)
    for (const record of commit) await replay.take(record)
  }
  return replay.result()
}

/** A directory on its way through the fast commits. */
type Names = {
  isNew: boolean
  /** Where the names that fast commits are about lead; 0 nowhere. */
  readonly inodeNumbers: Map<string, number>
}

function isBirthOrDeath({ kind }: FastCommitRecord): boolean {
  return kind === 'create' || kind === 'unlink'
}

/** Whether it can be a name: what is a path, or a step of one, would lead elsewhere. */
function isFileName(name: Uint8Array): boolean {
  const text = nameKey(name)
  return text !== '.' && text !== '..' && !text.includes('/') && !text.includes('\0')
}

class Replay {
  readonly #volume: Ext4Volume
  readonly #inodes = new Map<number, InodeState>()
  readonly #names = new Map<number, Names>()
  /** By directory the names that any record is about. */
  readonly #wanted = new Map<number, Set<string>>()

  constructor(volume: Ext4Volume, commits: readonly FastCommit[]) {
    this.#volume = volume
    for (const record of commits.flat()) {
      if (!('directory' in record)) continue
      const names = this.#wanted.get(record.directory) ?? new Set()
      this.#wanted.set(record.directory, names.add(nameKey(record.name)))
    }
  }

  /**
   * The number of an inode that was given up and taken again has another generation: what is known of it is of another
   * file. In a commit the state of an inode may come behind its ranges and names, so this comes first.
   */
  async beginFiles(commit: FastCommit): Promise<void> {
    const named = new Set(commit.filter(isBirthOrDeath).map((record) => record.inodeNumber))
    for (const record of commit) {
      if (record.kind !== 'inode' || !this.#isInode(record)) continue
      const { inodeNumber, bytes } = record
      const state = await this.#stateOf(inodeNumber)
      if (state.generation === generationOf(bytes)) {
        // Content that moved from the inode to blocks: the ranges that come first are of the new form.
        if (state.isFlagged(InodeFlag.InlineData)) state.write(bytes)
        continue
      }
      if (state.linkCount > 0 && !named.has(inodeNumber)) {
        const found = 'it is of another generation, and no file was made'
        this.#report(record, `inode ${inodeNumber} was changed: ${found}`)
        state.refuse(`a fast commit changed it: ${found}`)
        continue
      }
      state.begin(bytes)
      if (state.isDirectory) this.#names.set(inodeNumber, { isNew: true, inodeNumbers: new Map() })
    }
  }

  async take(record: FastCommitRecord): Promise<void> {
    if (!this.#isInode(record)) return
    const state = await this.#stateOf(record.inodeNumber)
    switch (record.kind) {
      case 'inode':
        return state.write(record.bytes)
      case 'range':
        return this.#takeRange(record, state)
      case 'create':
      case 'link':
      case 'unlink':
        return await this.#takeName(record, state)
    }
  }

  result(): ChangedFiles {
    const inodes = new Map<number, ChangedInode>()
    for (const [number, state] of this.#inodes) if (state.isChanged) inodes.set(number, state.result())
    const names = new Map<number, ChangedNames>(this.#names)
    return { inodes, names }
  }

  #takeRange(record: RangeRecord, state: InodeState): void {
    const { run, inodeNumber } = record
    if (run.blockCount === 0) return
    const wrong = this.#wrongOfRange(record, state)
    if (wrong === null) return state.changeRun(run)
    this.#report(record, `blocks of inode ${inodeNumber} were changed: ${wrong}`)
    state.refuse(`a fast commit changed its blocks: ${wrong}`)
  }

  /** Why the blocks of a file cannot be changed so, null when they can. */
  #wrongOfRange({ run, offsetBytes }: RangeRecord, state: InodeState): string | null {
    if (state.isDirectory) return 'it is a directory'
    if (!state.isFlagged(InodeFlag.Extents)) return 'it has no extents'
    if (run.firstBlock === 0) return null
    try {
      requireBlocks(this.#volume.superblock, run, { structure: STRUCTURE, offsetBytes })
      return null
    } catch (error) {
      if (error instanceof FormatError) return error.message
      throw error
    }
  }

  async #takeName(record: NameRecord, state: InodeState): Promise<void> {
    if (!isFileName(record.name)) {
      return this.#report(record, `inode ${record.inodeNumber} is given a name that no file can have`)
    }
    const names = await this.#namesOf(record)
    const key = nameKey(record.name)
    const known = names.inodeNumbers.get(key) ?? 0
    if (record.kind === 'unlink') {
      if (known === record.inodeNumber) names.inodeNumbers.set(key, 0)
      // Whoever has the name since, this file lost it.
      if (known !== 0) state.changeLinkCount(-1)
      return
    }
    if (record.kind === 'create' && state.isDirectory) {
      this.#names.set(record.inodeNumber, { isNew: true, inodeNumbers: new Map() })
    }
    if (known === record.inodeNumber) return
    if (known !== 0) {
      const { directory, inodeNumber } = record
      const found = `inode ${inodeNumber} is given a name in directory ${directory} that inode ${known} has`
      this.#report(record, `${found}; the name is left as it is`)
      return
    }
    names.inodeNumbers.set(key, record.inodeNumber)
    if (record.kind === 'link') state.changeLinkCount(1)
  }

  /** Where the names of a directory lead so far, of those that records are about. */
  async #namesOf(record: NameRecord): Promise<Names> {
    const { directory } = record
    const known = this.#names.get(directory)
    if (known !== undefined) return known
    const names: Names = { isNew: false, inodeNumbers: new Map() }
    this.#names.set(directory, names)
    try {
      await this.#readNames(directory, names.inodeNumbers)
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof UnmappedError)) throw error
      const found = `names in directory ${directory} were changed, which cannot be done again`
      this.#report(record, `${found}: ${error.message}`)
      const state = this.#isInode({ ...record, inodeNumber: directory })
        ? await this.#stateOf(directory)
        : null
      state?.refuse(`a fast commit changed names in it: ${error.message}`)
    }
    return names
  }

  async #readNames(directory: number, inodeNumbers: Map<string, number>): Promise<void> {
    const inode = await readInode(this.#volume, directory)
    if (inode.kind !== 'directory') throw new FormatError(inode.place, `it is a ${inode.kind}`)
    if (isFlagged(inode, InodeFlag.Encrypted) || isFlagged(inode, InodeFlag.Casefold)) {
      const what = 'directory whose names are not compared as bytes'
      throw new UnmappedError(what, `found a ${what}`)
    }
    const wanted = this.#wanted.get(directory) ?? new Set()
    const { signal } = new AbortController()
    for await (const batch of readDirectoryEntries(this.#volume, inode, signal)) {
      for (const { name, inodeNumber } of batch) {
        const key = nameKey(name)
        if (wanted.has(key)) inodeNumbers.set(key, inodeNumber)
      }
    }
  }

  /** False, and said, for numbers that no inode has. */
  #isInode(record: FastCommitRecord): boolean {
    const { inodeNumber } = record
    try {
      inodePlace(this.#volume, inodeNumber)
      return true
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      this.#report(record, `it is about inode ${inodeNumber}, which is not there: ${error.message}`)
      return false
    }
  }

  async #stateOf(number: number): Promise<InodeState> {
    const known = this.#inodes.get(number)
    if (known !== undefined) return known
    const bytes = await readInodeBytes(this.#volume, number)
    const terms = { superblock: this.#volume.superblock, place: inodePlace(this.#volume, number) }
    const state = new InodeState(bytes, inodeDamage(bytes, number, terms))
    this.#inodes.set(number, state)
    return state
  }

  #report({ offsetBytes }: FastCommitRecord, found: string): void {
    this.#volume.report({ structure: STRUCTURE, offsetBytes, found })
  }
}
