import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { NbdImage } from '../nbd/open-nbd-image.ts'
import type { NbdAddress } from './lane-messages.ts'
import type { LaneSource } from './seal-lane.ts'

/** Reads an export through connections of this lane's own, which begin with the first read. */
export function nbdSource(address: NbdAddress): LaneSource {
  let opening: Promise<NbdImage> | null = null
  return {
    sizeBytes: address.sizeBytes,
    async readInto(target, offset) {
      opening ??= open(address)
      await (await opening).readInto(target, offset)
    },
    async close() {
      const image = await opening?.catch(() => null)
      opening = null
      await image?.[Symbol.asyncDispose]()
    },
  }
}

/** The protocol is loaded only where there is an export to read. */
async function open(address: NbdAddress): Promise<NbdImage> {
  const [{ openNbdImage }, { parseNbdUri }, { readNbdTls }] = await Promise.all([
    import('../nbd/open-nbd-image.ts'),
    import('../nbd/nbd-uri.ts'),
    import('./nbd-tls.ts'),
  ])
  const { uri, sizeBytes, tlsFiles, connectionsMax } = address
  const tls = await readNbdTls(tlsFiles)
  // Who cancels the run ends the thread.
  const never = new AbortController().signal
  const image = await openNbdImage({ to: parseNbdUri(uri), tls, connectionsMax }, never)
  if (image.sizeBytes === sizeBytes) return image
  await image[Symbol.asyncDispose]()
  const message = `Cannot read "${uri}": the export has ${image.sizeBytes} bytes, it had ${sizeBytes} when the run began`
  throw new BackupError(ErrorCode.SourceChanged, message, { data: { path: uri } })
}
