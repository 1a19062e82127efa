import { openNbdImage, type NbdImage, type OpenNbdOptions } from '../../src/nbd/open-nbd-image.ts'
import { parseNbdUri } from '../../src/nbd/nbd-uri.ts'

/** Opens an export with the settings that most tests want: no certificates, one connection. */
export async function openNbd(
  uri: string,
  options: Partial<OpenNbdOptions> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<NbdImage> {
  const plain = { to: parseNbdUri(uri), tls: { ca: null, certificate: null }, connectionsMax: 1 }
  return await openNbdImage({ ...plain, ...options }, signal)
}
