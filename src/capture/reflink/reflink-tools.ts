import type { Clock } from '../../domain/clock.ts'
import type { CloneFolder, CloneSource } from '../../domain/file-clone.ts'
import type { Randomness } from '../../domain/randomness.ts'

/** What `reflinkProvider()` needs of the system: files that are cloned, and clones that are kept. */
export type ReflinkTools = {
  readonly clock: Clock
  readonly randomness: Randomness
  /** Throws SOURCE_MISSING, SOURCE_UNREADABLE, SOURCE_UNSUITABLE where no clone can be made of it. */
  openSource(path: string): Promise<CloneSource>
  /** The folders of clones of all file systems that are mounted here. */
  folders(): Promise<readonly CloneFolder[]>
}
