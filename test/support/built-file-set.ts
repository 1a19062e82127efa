import { buildFileSet, type BuiltFileSet } from '../../src/capture/file-set/build-file-set.ts'
import type { FrozenImage } from '../../src/domain/frozen-image.ts'
import { ExtentTable } from '../../src/extents/extent-table.ts'
import type { FileSetIndex } from '../../src/formats/file-set/read-index.ts'
import type { FileSystem } from '../../src/formats/file-system.ts'
import { mappedImage } from '../../src/images/mapped-image.ts'
import { bytesImage } from './bytes-image.ts'

export type BuildOptions = {
  readonly chunkSizeBytes: number
  readonly before?: FileSetIndex
  readonly paths?: readonly string[]
}

/** The image of files of a file system whose contents lie on `volume`, put together in memory. */
export async function builtFileSet(
  fileSystem: FileSystem,
  volume: FrozenImage,
  options: BuildOptions,
): Promise<{ readonly built: BuiltFileSet; readonly image: FrozenImage }> {
  const pieces: Uint8Array[] = []
  let length = 0
  const built = await buildFileSet({
    source: {
      fileSystem,
      volumeSizeBytes: volume.sizeBytes,
      layer: {
        extentsIn: (range) => [{ kind: 'data', ...range, device: 0, physicalOffset: range.offset }],
      },
      scratch: {
        append: (bytes) => {
          pieces.push(bytes.slice())
          length += bytes.byteLength
          return Promise.resolve(length - bytes.byteLength)
        },
      },
      scratchDevice: 1,
    },
    paths: (options.paths ?? ['']).map((path) =>
      path
        .split('/')
        .filter((name) => name !== '')
        .map((name) => Buffer.from(name, 'latin1')),
    ),
    origin: { format: 'model', label: '', uuid: '', volume: '', paths: ['/'] },
    chunkSizeBytes: options.chunkSizeBytes,
    before: options.before ?? null,
    where: 'model',
    signal: new AbortController().signal,
  })
  const { sizeBytes } = built
  const map = await ExtentTable.read(built.extents.map(sizeBytes), { sizeBytes })
  const image = mappedImage(map, [
    { image: volume, device: 0, isMapped: false },
    { image: bytesImage(Buffer.concat(pieces)), device: 1, isMapped: false },
  ])
  return { built, image }
}
