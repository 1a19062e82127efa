// An inode on its way through the fast commits that change it.
import { writeStruct } from '../../../bytes/struct.ts'
import type { BlockRun } from '../block-run.ts'
import { BLOCK_MAP_SIZE, FileType, INODE, InodeFlag } from '../inode-layout.ts'
import type { ChangedInode } from './changed-files.ts'
import { newestRuns } from './overlay-runs.ts'

const EXTENT_MAGIC = 0xf30a
const BLOCK_MAP_END = INODE.blockMap + BLOCK_MAP_SIZE
/** The root of an extent tree with room for four extents, and none. */
const EXTENT_ROOT = { magic: [0, 'u16le'], capacity: [4, 'u16le'] } as const
const ROOT_CAPACITY = 4

/** What tells the file that has the number of an inode from the one that had it before. */
export function generationOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(INODE.generation, true)
}

export class InodeState {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #runs: BlockRun[] = []
  #refusal: string | null
  /** Whether anything of it was changed. */
  isChanged = false

  /** `refusal`: why the bytes as they lie on the volume cannot be built upon, null when they can. */
  constructor(bytes: Uint8Array, refusal: string | null) {
    this.#bytes = bytes.slice()
    this.#view = new DataView(this.#bytes.buffer)
    this.#refusal = refusal
  }

  get generation(): number {
    return generationOf(this.#bytes)
  }

  get linkCount(): number {
    return this.#view.getUint16(INODE.linkCount, true)
  }

  get isDirectory(): boolean {
    return (this.#view.getUint16(INODE.mode, true) & 0xf000) === FileType.Directory
  }

  isFlagged(flag: number): boolean {
    return (this.#view.getUint32(INODE.flags, true) & flag) !== 0
  }

  /** The number belongs to another file from now on, of which `record` is all that is known yet. */
  begin(record: Uint8Array): void {
    this.#bytes.fill(0)
    this.#runs = []
    this.#refusal = null
    this.write(record)
  }

  /** All fields become those of a record; of the block map only what is no map of blocks, which ranges change. */
  write(record: Uint8Array): void {
    this.isChanged = true
    this.#bytes.set(record.subarray(0, INODE.blockMap))
    this.#bytes.set(record.subarray(BLOCK_MAP_END), BLOCK_MAP_END)
    const hasExtents = this.isFlagged(InodeFlag.Extents)
    if (!hasExtents) this.#bytes.set(record.subarray(INODE.blockMap, BLOCK_MAP_END), INODE.blockMap)
    else if (this.#view.getUint16(INODE.blockMap, true) !== EXTENT_MAGIC) this.#clearExtents()
  }

  changeRun(run: BlockRun): void {
    this.isChanged = true
    this.#runs.push(run)
  }

  changeLinkCount(difference: 1 | -1): void {
    this.isChanged = true
    this.#view.setUint16(INODE.linkCount, Math.max(0, this.linkCount + difference), true)
  }

  refuse(sentence: string): void {
    this.isChanged = true
    this.#refusal ??= sentence
  }

  result(): ChangedInode {
    return { bytes: this.#bytes, runs: newestRuns(this.#runs), refusal: this.#refusal }
  }

  #clearExtents(): void {
    const root = this.#bytes.subarray(INODE.blockMap, BLOCK_MAP_END).fill(0)
    writeStruct(EXTENT_ROOT, root, { magic: EXTENT_MAGIC, capacity: ROOT_CAPACITY })
  }
}
