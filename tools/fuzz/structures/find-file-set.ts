// The parts of the image of a set of files: docs/formats/file-set.md.
import { crc32c } from '../../../src/bytes/crc32c.ts'
import { readStruct } from '../../../src/bytes/struct.ts'
import { parseCatalogueIndex } from '../../../src/formats/file-set/catalogue-index.ts'
import {
  BIN_HEADER,
  BIN_HEADER_SIZE_BYTES,
  HEADER,
  HEADER_SIZE_BYTES,
} from '../../../src/formats/file-set/layout.ts'
import { binFields, fileSetHeaderFields } from '../fields/volume-fields.ts'
import { rewrite, type LocalStructure, type Target } from '../structure.ts'

const HEADER_RUN = { offset: 0, length: HEADER_SIZE_BYTES }

export function findFileSet(target: Target): LocalStructure[] {
  const header = readStruct(HEADER, target.read(0, HEADER_SIZE_BYTES))
  const { chunkSizeBytes, imageSizeBytes, binCount } = header
  const index = { offset: header.indexOffset, length: header.indexSizeBytes }
  const chunkCount = imageSizeBytes / chunkSizeBytes
  const { bins } = parseCatalogueIndex(target.read(index.offset, index.length), {
    binCount,
    chunkCount,
    chunkSizeBytes,
  })
  const shared = { blockBytes: chunkSizeBytes, isChecked: true }
  return [
    { kind: 'header', ...HEADER_RUN, ...shared, fields: fileSetHeaderFields, mend: mendHeader },
    { kind: 'index', ...index, ...shared, grammar: 'varints', mend: (mended) => mendIndex(mended, index) },
    ...bins.map(({ place }): LocalStructure => {
      const offset = place.position * chunkSizeBytes
      const { entriesSizeBytes } = readStruct(BIN_HEADER, target.read(offset, BIN_HEADER_SIZE_BYTES))
      const run = { offset, length: BIN_HEADER_SIZE_BYTES + entriesSizeBytes }
      const mend = (mended: Target): void => mendBin(mended, run)
      return { kind: 'bin', ...run, ...shared, grammar: 'varints', fields: binFields, mend }
    }),
  ]
}

function mendHeader(target: Target): void {
  const [at] = HEADER.checksum
  rewrite(target, HEADER_RUN, (bytes, view) => view.setUint32(at, crc32c(bytes.subarray(0, at)), true))
}

function mendIndex(target: Target, index: { readonly offset: number; readonly length: number }): void {
  const checksum = crc32c(target.read(index.offset, index.length))
  rewrite(target, HEADER_RUN, (_, view) => view.setUint32(HEADER.indexChecksum[0], checksum, true))
  mendHeader(target)
}

function mendBin(target: Target, run: { readonly offset: number; readonly length: number }): void {
  rewrite(target, run, (bytes, view) => {
    const [at] = BIN_HEADER.checksum
    const length = Math.min(
      view.getUint32(BIN_HEADER.entriesSizeBytes[0], true),
      run.length - BIN_HEADER_SIZE_BYTES,
    )
    const entries = bytes.subarray(BIN_HEADER_SIZE_BYTES, BIN_HEADER_SIZE_BYTES + length)
    view.setUint32(at, crc32c(entries, crc32c(bytes.subarray(0, at))), true)
  })
}
