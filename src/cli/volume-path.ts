import { parseBackupPath } from './path-argument.ts'

/** A path inside a source, and the volume of the source that it is in. */
export type VolumePath = {
  /** As the user wrote it. */
  readonly text: string
  /** `p1`, `vg0/home`; null for the only file system there is. */
  readonly volume: string | null
  readonly names: readonly Uint8Array[]
}

/** Reads `/srv/db` or `vg0/home:/srv/db`. Throws SyntaxError for a path that cannot be one. */
export function parseVolumePath(text: string): VolumePath {
  const { volume, path } = splitVolume(text)
  if (path.startsWith('/')) return { text, volume, names: parseBackupPath(path) }
  throw new SyntaxError(`Cannot read path "${text}": expected /PATH or VOLUME:/PATH`)
}

/** Reads the same of a backup, where a path may also begin without a slash, as `srv/db`. */
export function parseFilePath(text: string): VolumePath {
  const { volume, path } = splitVolume(text)
  return { text, volume, names: parseBackupPath(path) }
}

function splitVolume(text: string): { readonly volume: string | null; readonly path: string } {
  const match = /^([^/:][^:]*):(\/.*)$/s.exec(text)
  const [, volume = null, path = text] = match ?? []
  return { volume, path }
}
