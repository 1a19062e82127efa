import type { FrozenImage } from '../../domain/frozen-image.ts'
import type { Finding } from '../finding.ts'
import type { XfsSuperblock } from './superblock.ts'

/** What every reader of a part of an XFS needs: its bytes, its geometry, and where to say what is odd. */
export type XfsVolume = {
  /** Reads need not be aligned: wrapped by `cachedImage()`. */
  readonly image: FrozenImage
  readonly superblock: XfsSuperblock
  readonly findings: Finding[]
}
