import { originOf } from '../formats/file-origin.ts'
import type { FileNode, FileTime } from '../formats/file-system.ts'
import { isSameContent, type ComparedSources } from './same-content.ts'

/** What of a file is not as it was. */
export type ChangedField =
  | 'content'
  | 'target'
  | 'device'
  | 'mode'
  | 'owner'
  | 'times'
  | 'attributes'
  /** Another file has the name. */
  | 'replaced'

/** Compares two files of one kind; the times of a folder and the time of the last access are not looked at. */
export class ComparedFiles {
  readonly #sources: ComparedSources
  /** Of files with several names: whether the content is the same, by both inodes. */
  readonly #known = new Map<string, boolean>()

  constructor(sources: ComparedSources) {
    this.#sources = sources
  }

  async fieldsOf(before: FileNode, after: FileNode): Promise<ChangedField[]> {
    const fields: ChangedField[] = []
    if (after.kind === 'file' && !(await this.#isSameContent(before, after))) fields.push('content')
    if (after.kind === 'symlink' && !(await this.#isSameLink(before, after))) fields.push('target')
    if (!isSameDevice(before.device, after.device)) fields.push('device')
    if (before.mode !== after.mode) fields.push('mode')
    if (before.userId !== after.userId || before.groupId !== after.groupId) fields.push('owner')
    if (after.kind !== 'directory' && !isSameTime(before.modified, after.modified)) fields.push('times')
    if (!(await this.#hasSameAttributes(before, after))) fields.push('attributes')
    if (!isSameInode(before, after)) fields.push('replaced')
    return fields
  }

  async #isSameContent(before: FileNode, after: FileNode): Promise<boolean> {
    if (after.linkCount < 2) return await isSameContent(this.#sources, before, after)
    const key = `${before.number} ${after.number}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const isSame = await isSameContent(this.#sources, before, after)
    this.#known.set(key, isSame)
    return isSame
  }

  async #isSameLink(before: FileNode, after: FileNode): Promise<boolean> {
    const one = await this.#sources.before.fileSystem.readSymlink(before)
    return Buffer.compare(one, await this.#sources.after.fileSystem.readSymlink(after)) === 0
  }

  /** Whoever changes an attribute changes the time of the last change; a file system that did not would be wrong. */
  async #hasSameAttributes(before: FileNode, after: FileNode): Promise<boolean> {
    if (isSameTime(before.changed, after.changed) && isSameInode(before, after)) return true
    const lists = [
      await this.#sources.before.fileSystem.readAttributes(before),
      await this.#sources.after.fileSystem.readAttributes(after),
    ]
    const [one, other] = lists.map((list) => {
      const shown = list.map(({ name, value }) => `${name.toHex()} ${value.toHex()}`)
      return shown.toSorted().join()
    })
    return one === other
  }
}

function isSameInode(one: FileNode, other: FileNode): boolean {
  const [first, second] = [originOf(one), originOf(other)]
  return first.number === second.number && first.generation === second.generation
}

function isSameDevice(one: FileNode['device'], other: FileNode['device']): boolean {
  return one?.major === other?.major && one?.minor === other?.minor
}

function isSameTime(one: FileTime, other: FileTime): boolean {
  return one.seconds === other.seconds && one.nanoseconds === other.nanoseconds
}
