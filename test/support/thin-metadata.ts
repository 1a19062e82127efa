import {
  closeSync,
  fstatSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'

import { blockChecksum } from '../../src/formats/dm-thin/block-checksum.ts'
import {
  METADATA_BLOCK_BYTES,
  NODE,
  NODE_INNER,
  NODE_LEAF,
  NODE_SALT,
  SUPERBLOCK,
  SUPERBLOCK_SALT,
} from '../../src/formats/dm-thin/layout.ts'
import { runTool } from './run-tool.ts'

/** `length` blocks from `begin` of the volume lie from `data` of the data volume. */
export type ThinRun = { readonly begin: number; readonly data: number; readonly length: number }

export type ThinPoolModel = {
  readonly dataBlockSectors?: number
  readonly dataBlockCount: number
  /** Of the metadata; default 32 MiB. */
  readonly fileBytes?: number
  readonly devices: ReadonlyMap<number, readonly ThinRun[]>
}

/** Makes a metadata file with `thin_restore`, in which no two volumes share a node. */
export function writeThinMetadata(path: string, model: ThinPoolModel): void {
  writeFileSync(path, '')
  truncateSync(path, model.fileBytes ?? 32 * 1024 * 1024)
  writeFileSync(`${path}.xml`, [...thinXml(model)].join('\n'))
  runTool('thin_restore', ['-i', `${path}.xml`, '-o', path])
  rmSync(`${path}.xml`)
}

function* thinXml(model: ThinPoolModel): Generator<string> {
  const { dataBlockSectors = 128, dataBlockCount } = model
  yield `<superblock uuid="" time="3" transaction="7" version="2" data_block_size="${dataBlockSectors}" nr_data_blocks="${dataBlockCount}">`
  for (const [deviceId, runs] of model.devices) {
    const count = runs.reduce((sum, run) => sum + run.length, 0)
    yield `<device dev_id="${deviceId}" mapped_blocks="${count}" transaction="${deviceId % 7}" creation_time="1" snap_time="2">`
    for (const { begin, data, length } of runs) {
      yield length === 1
        ? `<single_mapping origin_block="${begin}" data_block="${data}" time="1"/>`
        : `<range_mapping origin_begin="${begin}" data_begin="${data}" length="${length}" time="1"/>`
    }
    yield '</device>'
  }
  yield '</superblock>'
}

type Entry = { readonly key: number; readonly value: Uint8Array }
/** What becomes of an entry: its new value, or null when it goes. */
export type Change = { readonly key: number; readonly value: Uint8Array | null }

/**
 * Changes a metadata file as the kernel does: nodes are copied to free blocks and never written in place, so that
 * trees share what did not change. It knows nothing of space maps, which stay as they were: for readers of the
 * mappings, not for `thin_check`.
 */
export class ThinMetadataFile implements Disposable {
  readonly #file: number
  #nextBlock: number

  constructor(path: string) {
    this.#file = openSync(path, 'r+')
    // thin_restore takes blocks from the start; nobody is in the last part of the file.
    const { blockCount, allocated } = this.#space()
    this.#nextBlock = Math.min(blockCount - 1, allocated + 64)
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }

  /** A snapshot of `origin` as device `deviceId`, changed; it shares with the origin every node without a change. */
  addSnapshot(origin: number, deviceId: number, changes: readonly Change[]): void {
    const root = this.mappingRoot(origin)
    const changed = changes.length === 0 ? root : this.changeTree(root, changes, 8)
    this.setDevice(deviceId, changed)
  }

  /** Makes `root` the mapping tree of a device, which need not be there yet. */
  setDevice(deviceId: number, root: number): void {
    const details = new Uint8Array(24)
    this.#changeSuperblock((view) => {
      this.#setUint64(
        view,
        SUPERBLOCK.mappingRoot[0],
        this.changeTree(
          this.#uint64(view, SUPERBLOCK.mappingRoot[0]),
          [{ key: deviceId, value: uint64(root) }],
          8,
        ),
      )
      this.#setUint64(
        view,
        SUPERBLOCK.detailsRoot[0],
        this.changeTree(
          this.#uint64(view, SUPERBLOCK.detailsRoot[0]),
          [{ key: deviceId, value: details }],
          24,
        ),
      )
    })
  }

  /** What `reserve_metadata_snap` does: a copy of the superblock in a block of its own, and a pointer to it. */
  holdSnapshot(): void {
    const copy = this.readBlock(0)
    copy.fill(0, SUPERBLOCK.dataBlockCount[0], SUPERBLOCK.mappingRoot[0])
    const block = this.#nextBlock++
    this.#setUint64(viewOf(copy), SUPERBLOCK.blockNumber[0], block)
    this.#writeBlock(block, copy, SUPERBLOCK_SALT)
    this.#changeSuperblock((view) => this.#setUint64(view, SUPERBLOCK.heldRoot[0], block))
  }

  changeSuperblock(change: (view: DataView) => void): void {
    this.#changeSuperblock(change)
  }

  /** Changes a node in place and mends its checksum: how damage is made that no checksum tells. */
  damageNode(block: number, change: (view: DataView) => void): void {
    const bytes = this.readBlock(block)
    change(viewOf(bytes))
    this.#writeBlock(block, bytes, NODE_SALT)
  }

  /** Puts back what a block was. */
  restoreBlock(block: number, bytes: Uint8Array): void {
    writeSync(this.#file, bytes, 0, bytes.byteLength, block * METADATA_BLOCK_BYTES)
  }

  mappingRoot(deviceId: number): number {
    let block = this.#uint64(viewOf(this.readBlock(0)), SUPERBLOCK.mappingRoot[0])
    for (;;) {
      const { isLeaf, entries } = this.readNode(block)
      const entry = entries.findLast(({ key }) => key <= deviceId)
      if (entry === undefined || (isLeaf && entry.key !== deviceId))
        throw new RangeError(`no device ${deviceId}`)
      block = Number(viewOf(entry.value).getBigUint64(0, true))
      if (isLeaf) return block
    }
  }

  /** The block of a new tree: `root` with the changes, which are ascending. */
  changeTree(root: number, changes: readonly Change[], valueBytes: number): number {
    let level = this.#changeNode(root, changes, valueBytes)
    if (level.length === 0) return this.#writeNode([], { isLeaf: true, valueBytes })
    while (level.length > 1) level = this.writeNodes(level, { isLeaf: false, valueBytes: 8 })
    return blockOf(level[0])
  }

  readNode(block: number): { isLeaf: boolean; valueBytes: number; entries: Entry[] } {
    const bytes = this.readBlock(block)
    const view = viewOf(bytes)
    const valueBytes = view.getUint32(NODE.valueBytes, true)
    const valuesAt = NODE.keys + view.getUint32(NODE.entryCountMax, true) * 8
    const entries = Array.from({ length: view.getUint32(NODE.entryCount, true) }, (_, index) => ({
      key: this.#uint64(view, NODE.keys + index * 8),
      value: bytes.slice(valuesAt + index * valueBytes, valuesAt + (index + 1) * valueBytes),
    }))
    return { isLeaf: view.getUint32(NODE.flags, true) === NODE_LEAF, valueBytes, entries }
  }

  /** Writes entries to as many nodes as they need, and returns the entries of their parent. */
  writeNodes(entries: readonly Entry[], shape: NodeShape): Entry[] {
    const room = entryCountMax(shape.valueBytes)
    const nodeCount = Math.ceil(entries.length / room)
    const parent: Entry[] = []
    for (let node = 0; node < nodeCount; node += 1) {
      const part = entries.slice(
        Math.floor((node * entries.length) / nodeCount),
        Math.floor(((node + 1) * entries.length) / nodeCount),
      )
      parent.push({ key: part[0]?.key ?? 0, value: uint64(this.#writeNode(part, shape)) })
    }
    return parent
  }

  readBlock(block: number): Uint8Array {
    const bytes = new Uint8Array(METADATA_BLOCK_BYTES)
    readSync(this.#file, bytes, 0, bytes.byteLength, block * METADATA_BLOCK_BYTES)
    return bytes
  }

  /** The node without and with its changes; what stands in its place in its parent. */
  #changeNode(block: number, changes: readonly Change[], valueBytes: number): Entry[] {
    const { isLeaf, entries } = this.readNode(block)
    if (isLeaf) {
      const copy = this.#copyLeaf(block, entries, changes)
      if (copy !== null) return [copy]
      const changed = new Map(entries.map(({ key, value }) => [key, value]))
      for (const { key, value } of changes) {
        if (value === null) changed.delete(key)
        else changed.set(key, value)
      }
      const sorted = [...changed].map(([key, value]) => ({ key, value })).toSorted((a, b) => a.key - b.key)
      return this.writeNodes(sorted, { isLeaf, valueBytes })
    }
    const children: Entry[] = []
    let next = 0
    for (const [index, entry] of entries.entries()) {
      const end = entries[index + 1]?.key ?? Infinity
      const first = next
      while (next < changes.length && (changes[next]?.key ?? 0) < end) next += 1
      if (first === next) children.push(entry)
      else children.push(...this.#changeNode(blockOf(entry), changes.slice(first, next), valueBytes))
    }
    return this.writeNodes(children, { isLeaf, valueBytes: 8 })
  }

  /** A leaf with other values for keys it has: all its other bytes stay, also those that nobody uses. */
  #copyLeaf(from: number, entries: readonly Entry[], changes: readonly Change[]): Entry | null {
    const bytes = this.readBlock(from)
    const view = viewOf(bytes)
    const valuesAt = NODE.keys + view.getUint32(NODE.entryCountMax, true) * 8
    const indexOf = new Map(entries.map(({ key }, index) => [key, index]))
    for (const { key, value } of changes) {
      const index = indexOf.get(key)
      if (index === undefined || value === null) return null
      bytes.set(value, valuesAt + index * value.byteLength)
    }
    const block = this.#nextBlock++
    this.#setUint64(view, NODE.blockNumber, block)
    this.#writeBlock(block, bytes, NODE_SALT)
    return { key: entries[0]?.key ?? 0, value: uint64(block) }
  }

  #writeNode(entries: readonly Entry[], { isLeaf, valueBytes }: NodeShape): number {
    const block = this.#nextBlock++
    const bytes = new Uint8Array(METADATA_BLOCK_BYTES)
    const view = viewOf(bytes)
    const room = entryCountMax(valueBytes)
    view.setUint32(NODE.flags, isLeaf ? NODE_LEAF : NODE_INNER, true)
    this.#setUint64(view, NODE.blockNumber, block)
    view.setUint32(NODE.entryCount, entries.length, true)
    view.setUint32(NODE.entryCountMax, room, true)
    view.setUint32(NODE.valueBytes, valueBytes, true)
    for (const [index, { key, value }] of entries.entries()) {
      this.#setUint64(view, NODE.keys + index * 8, key)
      bytes.set(value, NODE.keys + room * 8 + index * valueBytes)
    }
    this.#writeBlock(block, bytes, NODE_SALT)
    return block
  }

  #changeSuperblock(change: (view: DataView) => void): void {
    const bytes = this.readBlock(0)
    change(viewOf(bytes))
    this.#writeBlock(0, bytes, SUPERBLOCK_SALT)
  }

  #writeBlock(block: number, bytes: Uint8Array, salt: number): void {
    if ((block + 1) * METADATA_BLOCK_BYTES > fstatSync(this.#file).size)
      throw new RangeError('metadata is full')
    viewOf(bytes).setUint32(NODE.checksum, blockChecksum(bytes, salt), true)
    writeSync(this.#file, bytes, 0, bytes.byteLength, block * METADATA_BLOCK_BYTES)
  }

  #space(): { blockCount: number; allocated: number } {
    const view = viewOf(this.readBlock(0))
    return {
      blockCount: this.#uint64(view, SUPERBLOCK.metadataBlockCount[0]),
      allocated: this.#uint64(view, SUPERBLOCK.metadataAllocatedCount[0]),
    }
  }

  #uint64(view: DataView, offset: number): number {
    return Number(view.getBigUint64(offset, true))
  }

  #setUint64(view: DataView, offset: number, value: number): void {
    view.setBigUint64(offset, BigInt(value), true)
  }
}

type NodeShape = { readonly isLeaf: boolean; readonly valueBytes: number }

/** The value of a mapping to a data block. */
export function mappingValue(dataBlock: number, time = 2): Uint8Array {
  return uint64(dataBlock * 2 ** 24 + time)
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  viewOf(bytes).setBigUint64(0, BigInt(value), true)
  return bytes
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function blockOf(entry: Entry | undefined): number {
  return entry === undefined ? 0 : Number(viewOf(entry.value).getBigUint64(0, true))
}

/** A multiple of three, as the kernel has it. */
function entryCountMax(valueBytes: number): number {
  const room = Math.floor((METADATA_BLOCK_BYTES - NODE.keys) / (8 + valueBytes))
  return room - (room % 3)
}
