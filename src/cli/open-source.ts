import { basename } from 'node:path'
import type { SourceAddress } from '../lane/lane-messages.ts'
import { NO_TLS_FILES, type NbdTlsFiles } from '../lane/nbd-tls.ts'
import { openLocalSource, type LocalSource } from '../linux/local-source.ts'
import type { RangeStream } from '../mover/backup-source.ts'
import { isNbdUri } from '../nbd/nbd-uri.ts'

/** A source that is open for reading, whatever it is: what a source argument becomes. */
export type OpenedSource = Omit<LocalSource, 'fd' | 'direct'> & {
  /** A short name, where it tells the sources apart. */
  readonly title: string
  /** How a lane reads it. */
  readonly address: SourceAddress
  /** The lanes that may read it at once; null: any number. */
  readonly lanesMax: number | null
  /**
   * What changed since the base, as who serves the source tells it; absent where nobody was asked. Throws
   * CHANGES_UNKNOWN.
   */
  readonly servedChanges?: (signal: AbortSignal) => Promise<RangeStream>
  /** Lets go of what a lane needs for itself: nothing more than the map is asked for from here on. */
  handOver(): Promise<void>
}

export type SourceOptions = {
  readonly tlsFiles: NbdTlsFiles
  /** The dirty bitmap that tells what changed in an export. */
  readonly bitmap?: string | undefined
  readonly signal: AbortSignal
}

/** The TLS options of a command, where it has them. */
export function tlsFilesOf(options: {
  readonly tlsCa: string | undefined
  readonly tlsCertificate: string | undefined
  readonly tlsKey: string | undefined
}): NbdTlsFiles {
  const { tlsCa: ca = null, tlsCertificate: certificate = null, tlsKey: key = null } = options
  return ca === null && certificate === null && key === null ? NO_TLS_FILES : { ca, certificate, key }
}

/** Opens a device, an image file, or an export. Throws what is in the way. */
export async function openSource(argument: string, options: SourceOptions): Promise<OpenedSource> {
  // The protocol is loaded only where there is an export to read.
  if (isNbdUri(argument)) return await (await import('./open-nbd-source.ts')).openNbdSource(argument, options)
  const local = await openLocalSource(argument)
  const { realPath: path, fd, sizeBytes, direct } = local
  return {
    ...local,
    title: basename(local.path),
    address: { path, fd, sizeBytes, direct },
    lanesMax: null,
    handOver: () => Promise.resolve(),
  }
}
