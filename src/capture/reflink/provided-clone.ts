import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { Range } from '../../domain/range.ts'
import type { HeldImage } from '../provider/held-image.ts'
import type { ProvidedImage, RangeStream } from '../provider/provided-image.ts'
import { cloneDifference } from './clone-difference.ts'
import type { CloneFacts } from './clone-facts.ts'
import { changeUse, heldImageOf, openClone, type FoundClone } from './held-clones.ts'
import type { Clone, CloneState } from '../../domain/file-clone.ts'
import { droppedError, hasRoomToHold } from './production-limits.ts'

/** A clone as the image of a run: its only device, number 0, is itself. */
export class ProvidedClone implements ProvidedImage, AsyncDisposable {
  readonly #clone: Clone
  readonly #bases = new Map<string, Clone>()
  #facts: CloneFacts
  #state: CloneState
  #held: HeldImage
  #isKept = false

  constructor({ clone, facts, state }: { clone: Clone; facts: CloneFacts; state: CloneState }) {
    this.#clone = clone
    this.#facts = facts
    this.#state = state
    this.#held = heldImageOf(facts, clone, { heldBytes: 0, roomBytes: null })
  }

  get held(): HeldImage {
    return this.#held
  }

  get image(): ProvidedImage['image'] {
    return this.#clone.image
  }

  get devices(): ProvidedImage['devices'] {
    const { path, fd, direct, image } = this.#clone
    return [{ path, fd, direct, sizeBytes: image.sizeBytes, identity: null }]
  }

  readonly changesSince = async (base: HeldImage, signal: AbortSignal): Promise<RangeStream> => {
    const clone = await this.#openBase(base)
    return () => cloneDifference({ base: clone, next: this.#clone }, signal)
  }

  /** A clone lies where it lies; that nobody removed it or wrote to it is what can be asked. */
  async identify(signal: AbortSignal): Promise<readonly Range[]> {
    signal.throwIfAborted()
    const state = await this.#clone.state()
    const changed = differenceOf(this.#state, state)
    if (changed !== null) {
      const message = `Cannot go on reading the frozen image "${this.#clone.path}" of "${this.#facts.source}": ${changed} while it was read`
      throw new BackupError(ErrorCode.ImageLost, message, { data: { path: this.#clone.path } })
    }
    const room = await this.#clone.folder.room()
    if (hasRoomToHold(room)) return []
    await this.#clone.remove()
    throw droppedError(this.#facts.source, room)
  }

  async keep(pointId: string): Promise<void> {
    const found: FoundClone = { clone: this.#clone, facts: this.#facts, isUntouched: true }
    this.#facts = await changeUse(found, { kind: 'base', pointId })
    this.#held = heldImageOf(this.#facts, this.#clone, this.#held.cost)
    this.#state = await this.#clone.state()
  }

  /** Closing it will not release it. */
  markKept(): void {
    this.#isKept = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using stack = new AsyncDisposableStack()
    stack.use(this.#clone)
    for (const base of this.#bases.values()) stack.use(base)
    if (!this.#isKept) await this.#clone.remove()
  }

  /** The base's clone, in the folder of this one: the same number of another file system is another place. */
  async #openBase(base: HeldImage): Promise<Clone> {
    const open = this.#bases.get(base.id)
    if (open !== undefined) return open
    const found = await openClone(this.#clone.folder, base.id)
    const unfit = found === null ? 'it is not held on this file system' : this.#unfitness(found)
    if (found !== null && unfit === null) {
      this.#bases.set(base.id, found.clone)
      return found.clone
    }
    await found?.clone[Symbol.asyncDispose]()
    const message = `Cannot tell what changed in "${this.#facts.source}" since the image "${base.label}": ${unfit}, required is the clone as it was made`
    throw new BackupError(ErrorCode.ChangesUnknown, message, { data: { path: base.label, id: base.id } })
  }

  #unfitness({ clone, isUntouched }: FoundClone): string | null {
    if (!isUntouched) return 'it was written to'
    return clone.space === this.#clone.space ? null : 'it lies on another device of the file system'
  }
}

function differenceOf(before: CloneState, now: CloneState): string | null {
  if (now.linkCount === 0) return 'it was removed'
  if (before.sizeBytes !== now.sizeBytes || before.modifiedNs !== now.modifiedNs) return 'it was written to'
  if (before.inode !== now.inode || before.generation !== now.generation) return 'another file took its place'
  return before.changedNs === now.changedNs ? null : 'its attributes or names were changed'
}
