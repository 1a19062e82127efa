import { setTimeout as sleep } from 'node:timers/promises'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import { missing, type AgentGroup } from './agent-group.ts'
import type { AgentImage } from './agent-image.ts'

/** So long a run waits for the lease of one before it that seems to be dead. */
const TURN_WAIT_MAX_MS = 120_000
const TURN_POLL_MS = 100

/** The groups that movers have here, and whose turn it is to freeze what. */
export class HeldGroups {
  readonly #groups = new Map<string, AgentGroup>()
  readonly #images = new Map<string, { readonly image: AgentImage; readonly group: AgentGroup }>()
  /** What is being frozen just now. */
  readonly #turns = new Set<readonly string[]>()

  /** Throws IMAGE_MISSING, or why the image is lost. Its lease begins anew. */
  image(id: string): AgentImage {
    return this.#found(id).image
  }

  /** Keeps the lease from ending as long as something is received. */
  async *whileUsed<Item>(imageId: string, items: AsyncIterable<Item>): AsyncGenerator<Item> {
    const { group } = this.#found(imageId)
    for await (const item of items) {
      group.touch()
      yield item
    }
  }

  group(id: string): AgentGroup {
    const group = this.#groups.get(id)
    if (group === undefined) throw missing(id)
    return group
  }

  add(group: AgentGroup): void {
    this.#groups.set(group.id, group)
    for (const image of group.images) this.#images.set(image.parts.id, { image, group })
  }

  /** One that is gone already is no error. */
  async release(id: string): Promise<void> {
    const group = this.#groups.get(id)
    if (group === undefined) return
    for (const { parts } of group.images) this.#images.delete(parts.id)
    try {
      await group.release()
    } finally {
      this.#groups.delete(id)
    }
  }

  async releaseAll(): Promise<void> {
    await Promise.all([...this.#groups.keys()].map((id) => this.release(id)))
  }

  /**
   * Gives the right to freeze what `keys` name: a source is frozen for one run at a time. One whose mover seems to be dead
   * is waited for, until its lease ends. Throws AGENT_REFUSED.
   */
  async turn(
    keys: readonly string[],
    { groupsMax, signal }: { readonly groupsMax: number; readonly signal: AbortSignal },
  ): Promise<Disposable> {
    const first = this.#holderOf(keys)
    if (first !== null) await this.#waitFor(first, keys, signal)
    if (this.#groups.size + this.#turns.size >= groupsMax) {
      throw refused(`it holds ${groupsMax} groups of images already, as many as its configuration allows`)
    }
    this.#turns.add(keys)
    return { [Symbol.dispose]: () => this.#turns.delete(keys) }
  }

  async #waitFor(holder: AgentGroup, keys: readonly string[], signal: AbortSignal): Promise<void> {
    const { leaseEndsAt } = holder
    const waitMs = leaseEndsAt - performance.now()
    const busy = (): BackupError =>
      refused(
        `another run holds a frozen image of ${named(holder)}, and is alive or has ${Math.ceil(waitMs / 1000)} s left of its lease`,
      )
    if (waitMs > TURN_WAIT_MAX_MS) throw busy()
    while (this.#groups.has(holder.id)) {
      if (holder.leaseEndsAt !== leaseEndsAt) throw busy()
      await sleep(TURN_POLL_MS, undefined, { signal })
    }
    const next = this.#holderOf(keys)
    if (next !== null) throw refused(`another run froze ${named(next)} first`)
  }

  #holderOf(keys: readonly string[]): AgentGroup | null {
    for (const turn of this.#turns) {
      if (turn.some((key) => keys.includes(key))) throw refused('another run is just freezing that')
    }
    return [...this.#groups.values()].find((group) => group.keys.some((key) => keys.includes(key))) ?? null
  }

  #found(id: string): { readonly image: AgentImage; readonly group: AgentGroup } {
    const found = this.#images.get(id)
    if (found === undefined) throw missing(id)
    found.group.touch()
    found.image.parts.ended.throwIfAborted()
    return found
  }
}

function named(group: AgentGroup): string {
  return group.images.map(({ parts }) => `"${parts.source}"`).join(', ')
}

function refused(found: string): BackupError {
  const message = `The agent refuses to freeze: ${found}, required is that the other run ends`
  return new BackupError(ErrorCode.AgentRefused, message)
}
