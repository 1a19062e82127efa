import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { Finding } from '../finding.ts'
import type { StructurePlace } from '../format-error.ts'
import type { XfsSuperblock } from './superblock.ts'

/** More than anybody reads; a volume damaged all over must not fill the memory with complaints. */
const FINDINGS_MAX = 1000

/** What every reader of a part of an XFS needs: its bytes, its geometry, and where to say what is odd. */
export type XfsVolume = {
  /** Reads need not be aligned: wrapped by `cachedImage()`. */
  readonly image: FrozenImage
  readonly superblock: XfsSuperblock
  readonly findings: Finding[]
}

/** Notes something odd that did not stop the reading. */
export function addFinding(findings: Finding[], place: StructurePlace, found: string): void {
  if (findings.length >= FINDINGS_MAX) return
  const { structure, offsetBytes } = place
  // What is read twice is odd twice, and said once.
  if (findings.some((known) => known.offsetBytes === offsetBytes && known.found === found)) return
  findings.push({ structure, offsetBytes, found })
}
