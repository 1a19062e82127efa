import type { DeviceIdentity } from '../domain/device-identity.ts'

/** What was said of an image or a target when it was made: it holds for all that is said of it later. */
export type ImageFacts = {
  readonly sizeBytes: number
  /** Empty when its bytes come from the agent's host only. */
  readonly devices: readonly DeviceIdentity[]
}

/** No mover has more at once. */
const IMAGES_MAX = 1024

/** The images that were made last, by their ids. */
export class KnownImages {
  readonly #facts = new Map<string, ImageFacts>()

  set(id: string, facts: ImageFacts): void {
    this.#facts.delete(id)
    this.#facts.set(id, facts)
    const oldest = this.#facts.keys().next()
    if (this.#facts.size > IMAGES_MAX && oldest.done !== true) this.#facts.delete(oldest.value)
  }

  /** Null for an image of another connection, or before a restart. */
  get(id: string): ImageFacts | null {
    return this.#facts.get(id) ?? null
  }
}
