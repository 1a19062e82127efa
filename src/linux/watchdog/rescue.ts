import { type FreezableMount, openFreezableMount } from '../freeze.ts'
import { startProgram } from '../run-program.ts'
import type { InTheEnd } from './guardian.ts'

/** What icecore undoes itself when its watchdog has died: the two do not die at once by mere chance. */
export class Rescue implements AsyncDisposable {
  readonly #mounts: FreezableMount[] = []
  #inTheEnd: InTheEnd | null = null
  #undone: Promise<void> | null = null
  /** A program was run before the freeze, and those in the end were not. */
  areProgramsNeeded = false
  /** Asked for; what somebody else has frozen is not ours to thaw. */
  mayBeFrozen = false

  async prepare(inTheEnd: InTheEnd, mountPoints: readonly string[]): Promise<void> {
    this.#inTheEnd = inTheEnd
    for (const path of mountPoints) {
      try {
        this.#mounts.push(await openFreezableMount(path))
      } catch {
        return // The watchdog cannot open it either, and says why.
      }
    }
  }

  async undo(): Promise<void> {
    this.#undone ??= this.#undo()
    await this.#undone
  }

  async #undo(): Promise<void> {
    // What is not frozen says so; a freeze that the watchdog had begun ended before it did.
    if (this.mayBeFrozen) await Promise.allSettled(this.#mounts.map((mount) => mount.thaw()))
    if (!this.areProgramsNeeded || this.#inTheEnd === null) return
    const { programs, resultVariable } = this.#inTheEnd
    for (const program of programs) {
      const environment = { ...program.environment, [resultVariable]: 'died' }
      await startProgram({ ...program, environment }).end
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undone
    await Promise.allSettled(this.#mounts.map((mount) => mount[Symbol.asyncDispose]()))
  }
}
