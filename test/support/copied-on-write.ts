import assert from 'node:assert/strict'
import type { Extent } from '../../src/domain/extent.ts'
import { encodeShared } from '../../src/extents/encode-shared.ts'
import { mappedSource } from '../../src/lane/mapped-source.ts'
import type { LaneSource } from '../../src/lane/seal-lane.ts'
import type { MovedExtents } from '../../src/mover/backup-source.ts'

const PIECE_BYTES = 512

function allocate(bytes: number): Uint8Array {
  return new Uint8Array(bytes)
}

/**
 * A snapshot as device-mapper makes it: the frozen bytes lie with their origin until somebody overwrites them there,
 * and are copied away just before.
 */
export class CopiedOnWrite {
  /** The origin, and behind it room for every piece. */
  readonly #disk: Uint8Array
  readonly #frozen: Uint8Array
  readonly #copiedTo = new Map<number, number>()
  #told = 0

  constructor(frozen: Uint8Array) {
    assert.equal(frozen.byteLength % PIECE_BYTES, 0)
    this.#frozen = frozen
    this.#disk = new Uint8Array(2 * frozen.byteLength)
    this.#disk.set(frozen)
  }

  get pieceCount(): number {
    return this.#frozen.byteLength / PIECE_BYTES
  }

  /** Somebody writes the origin. */
  overwrite(piece: number, fill: number): void {
    const at = piece * PIECE_BYTES
    if (!this.#copiedTo.has(piece)) {
      const copy = this.#frozen.byteLength + this.#copiedTo.size * PIECE_BYTES
      this.#disk.copyWithin(copy, at, at + PIECE_BYTES)
      this.#copiedTo.set(piece, copy)
    }
    this.#disk.fill(fill, at, at + PIECE_BYTES)
  }

  async identify(): Promise<MovedExtents | null> {
    const moved = [...this.#copiedTo.keys()].slice(this.#told)
    if (moved.length === 0) return null
    this.#told = this.#copiedTo.size
    const ranges = moved
      .toSorted((a, b) => a - b)
      .map((piece) => ({ offset: piece * PIECE_BYTES, length: PIECE_BYTES }))
    return { ranges, map: await this.map() }
  }

  /** A lane's view of the disk by the map `map`; `beforeRead` may overwrite something. */
  lane(map: Uint8Array, beforeRead: () => void): LaneSource {
    const device: LaneSource = {
      sizeBytes: this.#disk.byteLength,
      readInto: async (target, offset) => {
        beforeRead()
        target.set(this.#disk.subarray(offset, offset + target.byteLength))
        await Promise.resolve()
      },
    }
    return mappedSource({ sizeBytes: this.#frozen.byteLength, map, devices: [device], allocate })
  }

  async map(): Promise<Uint8Array<SharedArrayBuffer>> {
    const extents = Array.from({ length: this.pieceCount }, (_, piece): Extent => {
      const offset = piece * PIECE_BYTES
      const physicalOffset = this.#copiedTo.get(piece) ?? offset
      return { kind: 'data', offset, length: PIECE_BYTES, device: 0, physicalOffset }
    })
    return await encodeShared([extents], { sizeBytes: this.#frozen.byteLength, deviceCount: 1 })
  }
}
