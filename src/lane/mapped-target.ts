import assert from 'node:assert/strict'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { endOf, type Range } from '../domain/range.ts'
import { decodeExtents } from '../extents/decode.ts'
import { ExtentTable } from '../extents/extent-table.ts'
import type { DataExtent } from './extent-reads.ts'
import { targetWriter, type TargetWriter } from './target-writer.ts'
import { WriteGate } from './write-gate.ts'

/** What direct I/O needs at most, and what every extent has to be a multiple of. */
const ALIGNMENT = 4096

/** A target that lies on disks, which the main thread holds open for writing. */
export type MappedTargetAddress = {
  readonly kind: 'mapped'
  readonly sizeBytes: number
  /** The map in its compact encoding, in shared memory; its devices are `devices`, by number. */
  readonly map: Uint8Array<SharedArrayBuffer>
  /** Null for one that nothing lies on. */
  readonly devices: readonly (WritableDevice | null)[]
  /** A write gate's memory. */
  readonly gate: SharedArrayBuffer
  readonly sparse: boolean
}

export type WritableDevice = {
  readonly path: string
  /** Does direct I/O. */
  readonly fd: number
  readonly sizeBytes: number
}

/** Writes verified bytes where they lie on the disks, as long as the gate is open. */
export function mappedTarget(
  target: MappedTargetAddress,
  allocate: (bytes: number) => Uint8Array,
): TargetWriter {
  const gate = new WriteGate(target.gate)
  const table = readTable(target)
  table.catch(() => {}) // The first write reports it.
  const writers = target.devices.map((device) => (device === null ? null : writerOf(device, target.sparse)))

  function placeOf(extent: DataExtent): TargetWriter {
    const [device, writer] = [target.devices[extent.device], writers[extent.device]]
    const end = extent.physicalOffset + extent.length
    const isSound = extent.physicalOffset % ALIGNMENT === 0 && extent.physicalOffset >= 0
    if (device && writer && isSound && end <= device.sizeBytes) return writer
    const message = `Cannot write ${extent.offset}+${extent.length} of the target: it lies on no disk that may be written`
    throw new BackupError(ErrorCode.TargetUnsuitable, message)
  }

  async function each(range: Range, use: (writer: TargetWriter, extent: DataExtent) => Promise<void>) {
    assert(range.offset % ALIGNMENT === 0 && range.length % ALIGNMENT === 0)
    for (const extent of (await table).extentsIn(range)) {
      assert(extent.kind === 'data', 'a target lies on disks wholly')
      await use(placeOf(extent), extent)
    }
  }

  const write = (bytes: Uint8Array, offset: number): Promise<void> =>
    each({ offset, length: bytes.byteLength }, async (writer, extent) => {
      const piece = bytes.subarray(extent.offset - offset, endOf(extent) - offset)
      await gate.pass(() => writer.write(piece, extent.physicalOffset))
    })
  const read = (bytes: Uint8Array, offset: number): Promise<void> =>
    each({ offset, length: bytes.byteLength }, async (writer, extent) => {
      await writer.read(bytes.subarray(extent.offset - offset, endOf(extent) - offset), extent.physicalOffset)
    })

  /** The end of an image that is no whole block: what lies behind it stays. */
  async function withLastBlock(offset: number, use: (block: Uint8Array) => Promise<void>): Promise<void> {
    const block = allocate(ALIGNMENT)
    await read(block, offset)
    await use(block)
  }

  return {
    async write(bytes, offset) {
      const whole = bytes.byteLength - (bytes.byteLength % ALIGNMENT)
      await write(bytes.subarray(0, whole), offset)
      if (whole === bytes.byteLength) return
      await withLastBlock(offset + whole, async (block) => {
        block.set(bytes.subarray(whole))
        await write(block, offset + whole)
      })
    },
    async zero({ offset, length }) {
      const whole = length - (length % ALIGNMENT)
      await each({ offset, length: whole }, async (writer, extent) => {
        const place = { offset: extent.physicalOffset, length: extent.length }
        for (const piece of pieces(place)) await gate.pass(() => writer.zero(piece))
      })
      if (whole === length) return
      await withLastBlock(offset + whole, async (block) => {
        block.fill(0, 0, length - whole)
        await write(block, offset + whole)
      })
    },
    async read(bytes, offset) {
      const whole = bytes.byteLength - (bytes.byteLength % ALIGNMENT)
      await read(bytes.subarray(0, whole), offset)
      if (whole === bytes.byteLength) return
      await withLastBlock(offset + whole, async (block) => {
        bytes.set(block.subarray(0, bytes.byteLength - whole), whole)
        await Promise.resolve()
      })
    },
  }
}

/** A disk without a command for zeros is written: not so much at once that the gate could not be shut meanwhile. */
const ZERO_BYTES_MAX = 16 * 1024 * 1024

function* pieces(range: Range): Generator<Range> {
  for (let offset = range.offset; offset < endOf(range); offset += ZERO_BYTES_MAX) {
    yield { offset, length: Math.min(ZERO_BYTES_MAX, endOf(range) - offset) }
  }
}

function writerOf({ path, fd }: WritableDevice, sparse: boolean): TargetWriter {
  return targetWriter({ path, kind: 'device', directFd: fd, bufferedFd: fd, sparse })
}

async function readTable({ map, sizeBytes, devices }: MappedTargetAddress): Promise<ExtentTable> {
  const extents = decodeExtents([map], { sizeBytes, deviceCount: devices.length })
  return await ExtentTable.read(extents, { sizeBytes })
}
