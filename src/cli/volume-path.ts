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
  const match = /^([^/:][^:]*):(\/.*)$/s.exec(text)
  const [, volume = null, path = text] = match ?? []
  if (path.startsWith('/')) return { text, volume, names: parseBackupPath(path) }
  throw new SyntaxError(`Cannot read path "${text}": expected /PATH or VOLUME:/PATH`)
}
