import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Range } from '../domain/range.ts'
import { dataRanges } from '../extents/data-ranges.ts'
import { ExtentTable } from '../extents/extent-table.ts'
import { inOrder } from '../extents/in-order.ts'
import { RangeTable } from '../extents/range-table.ts'
import { readNbdTls } from '../lane/nbd-tls.ts'
import type { RangeStream } from '../mover/backup-source.ts'
import { changesUnknown, dirtyBitmapContext, dirtyRanges } from '../nbd/dirty-bitmap.ts'
import { nbdExportTitle } from '../nbd/nbd-uri.ts'
import { openNbdImage, type NbdImage } from '../nbd/open-nbd-image.ts'
import { exportAt } from './export-at.ts'
import type { OpenedSource, SourceOptions } from './open-source.ts'

/**
 * Connections of each reader, where the server says that all see the same. One brings more than a lane can seal, and
 * servers have room for few.
 */
const CONNECTIONS_MAX = 1

/** Opens an export. Throws USAGE_WRONG, CONNECTION_FAILED, PROTOCOL_WRONG, SOURCE_MISSING, SOURCE_UNSUITABLE. */
export async function openNbdSource(uri: string, options: SourceOptions): Promise<OpenedSource> {
  const { tlsFiles, signal } = options
  const to = exportAt(uri)
  const tls = await readNbdTls(tlsFiles)
  if (!to.isEncrypted && Object.values(tlsFiles).some((file) => file !== null)) {
    const message = `Cannot use TLS with "${uri}": it is not encrypted, required is nbds:// in place of nbd://`
    throw new BackupError(ErrorCode.UsageWrong, message)
  }
  const connectionsMax = CONNECTIONS_MAX
  const { bitmap } = options
  const contexts = bitmap === undefined ? [] : [contextOf(bitmap)]
  const image = await openNbdImage({ to, tls, connectionsMax, contexts }, signal)
  const { sizeBytes, sectorSizeBytes, canMultiConn } = image
  return {
    path: uri,
    realPath: `nbd:${nbdExportTitle(to)}`,
    title: to.exportName === '' ? nbdExportTitle(to) : to.exportName,
    type: 'device',
    sizeBytes,
    sectorSizeBytes,
    // No name that another host would know the disk by.
    identity: { name: null, sizeBytes, sectorSizeBytes },
    address: { uri, sizeBytes, tlsFiles, connectionsMax },
    lanesMax: canMultiConn ? null : 1,
    fingerprint: () => Promise.resolve(`nbd:${nbdExportTitle(to)}:${sizeBytes}`),
    image: () => ({ ...image, [Symbol.asyncDispose]: () => Promise.resolve() }),
    ...(bitmap === undefined ? {} : { servedChanges: (now) => rememberedChanges(image, bitmap, now) }),
    ...(canMultiConn ? askedEachTime(image) : await rememberedMap(image, signal)),
    [Symbol.asyncDispose]: () => image[Symbol.asyncDispose](),
  }
}

function contextOf(bitmap: string): string {
  try {
    return dirtyBitmapContext(bitmap)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new BackupError(ErrorCode.UsageWrong, cause.message, { cause })
  }
}

/** Asked once and wholly: what is stored follows one answer, and one that is cut short is an error before anything is. */
async function rememberedChanges(image: NbdImage, bitmap: string, signal: AbortSignal): Promise<RangeStream> {
  const ranges = dirtyRanges(image, bitmap)
  try {
    const table = await RangeTable.read(ranges(signal))
    return () => inOrder(table.batches())
  } catch (error) {
    throw error instanceof RangeError ? changesUnknown(image, bitmap, error.message) : error
  }
}

function askedEachTime(image: NbdImage): Pick<OpenedSource, 'dataRanges' | 'handOver'> {
  return {
    dataRanges: (range, signal) => dataRanges(image.extents(range, signal)),
    handOver: () => Promise.resolve(),
  }
}

/** A server that may have room for one connection only: the map is asked for while this one is there. */
async function rememberedMap(
  image: NbdImage,
  signal: AbortSignal,
): Promise<Pick<OpenedSource, 'dataRanges' | 'handOver'>> {
  const { sizeBytes } = image
  const table = await ExtentTable.read(image.extents({ offset: 0, length: sizeBytes }, signal), { sizeBytes })
  return {
    dataRanges: (range: Range) => dataRanges([[...table.extentsIn(range)]]),
    handOver: async () => await image[Symbol.asyncDispose](),
  }
}
