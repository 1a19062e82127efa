import { ext4Checksum, littleEndian32 } from '../../../src/formats/ext4/checksum.ts'
import type { Superblock } from '../../../src/formats/ext4/superblock.ts'
import { rewrite, viewOf, type LocalStructure } from '../structure.ts'

type Run = { readonly offset: number; readonly length: number }
type Mender = LocalStructure['mend']

export function inodeSeed(superblock: Superblock, number: number, generation: number): number {
  const ofNumber = ext4Checksum(littleEndian32(number), superblock.checksumSeed)
  return ext4Checksum(littleEndian32(generation), ofNumber)
}

export function inodeMender(superblock: Superblock, number: number, run: Run): Mender {
  return (target) => {
    if (!superblock.features.metadataChecksums) return
    rewrite(target, run, (bytes, view) => {
      const hasHigh = run.length > 128 && view.getUint16(0x80, true) >= 4
      view.setUint16(0x7c, 0, true)
      if (hasHigh) view.setUint16(0x82, 0, true)
      const checksum = ext4Checksum(bytes, inodeSeed(superblock, number, view.getUint32(0x64, true)))
      view.setUint16(0x7c, checksum & 0xffff, true)
      if (hasHigh) view.setUint16(0x82, checksum >>> 16, true)
    })
  }
}

export function extentNodeMender(superblock: Superblock, seed: number, run: Run): Mender {
  return (target) => {
    if (!superblock.features.metadataChecksums) return
    rewrite(target, run, (bytes, view) => {
      const tail = 12 + view.getUint16(4, true) * 12
      if (tail + 4 <= bytes.byteLength)
        view.setUint32(tail, ext4Checksum(bytes.subarray(0, tail), seed), true)
    })
  }
}

/** As a leaf when it ends like one, else as a node of hashes. */
export function directoryMender(superblock: Superblock, seed: number, run: Run): Mender {
  return (target) => {
    if (!superblock.features.metadataChecksums) return
    rewrite(target, run, (bytes, view) => {
      const tail = bytes.byteLength - 12
      if (view.getUint16(tail + 4, true) === 12 && view.getUint8(tail + 7) === 0xde) {
        view.setUint32(tail + 8, ext4Checksum(bytes.subarray(0, tail), seed), true)
        return
      }
      const table = view.getUint16(4, true) === 12 ? 32 : 8
      const limit = view.getUint16(table, true)
      const count = view.getUint16(table + 2, true)
      const end = table + limit * 8
      if (end + 8 > bytes.byteLength || count > limit) return
      const last = viewOf(bytes.slice(end, end + 8))
      last.setUint32(4, 0)
      const used = ext4Checksum(bytes.subarray(0, table + count * 8), seed)
      const checksum = ext4Checksum(new Uint8Array(last.buffer, last.byteOffset, 8), used)
      view.setUint32(end + 4, checksum, true)
    })
  }
}
