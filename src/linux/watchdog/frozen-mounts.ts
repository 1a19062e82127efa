import { setTimeout as sleep } from 'node:timers/promises'
import { errnoMeaning } from '../../domain/errno.ts'
import { type FreezableMount, openFreezableMount } from '../freeze.ts'

export class NotFrozen extends Error {
  readonly mountPoint: string
  /** Half a sentence. */
  readonly reason: string

  constructor(mountPoint: string, reason: string) {
    super(`Cannot freeze "${mountPoint}": ${reason}`)
    this.name = 'NotFrozen'
    this.mountPoint = mountPoint
    this.reason = reason
  }
}

/** A freeze that hangs must not keep those that are done from being thawed, nor what comes after. */
const HANGING_FREEZE_WAIT_MS = 5000

/**
 * File systems that are frozen together. Each is in one state:
 *
 *     open ──▶ freezing ──▶ frozen ──▶ thawed
 *                  └──────▶ failed
 *
 * The kernel cannot call off a freeze: one that ends after `thaw()` was called is thawed at once.
 */
export class FrozenMounts {
  readonly #mounts: FreezableMount[] = []
  readonly #thaws: Promise<void>[] = []
  readonly #problems: string[] = []
  /** What thaws the mounts that are frozen now, the last one first. */
  readonly #waiting: (() => void)[] = []
  #freezes: readonly Promise<void>[] = []
  #isThawing = false

  /** Opens them and writes back what waits to be written. Throws NotFrozen. */
  async open(mountPoints: readonly string[]): Promise<void> {
    for (const path of mountPoints) {
      const mount = await attempt({ path }, () => openFreezableMount(path))
      // Two mount points of one file system: the second freeze would be refused.
      if (this.#mounts.some((other) => other.deviceNumber === mount.deviceNumber))
        await mount[Symbol.asyncDispose]()
      else this.#mounts.push(mount)
    }
    await this.#sync()
  }

  /** Freezes all of them at once, or none: throws NotFrozen when one cannot be, or when they are to be thawed already. */
  async freeze(onStart: () => void): Promise<void> {
    await this.#sync()
    const [first] = this.#mounts
    if (this.#isThawing)
      throw new NotFrozen(first?.path ?? '', 'what waits to be written was not written in time')
    onStart()
    this.#freezes = this.#mounts.map((mount) => this.#freezeOne(mount))
    const results = await Promise.allSettled(this.#freezes)
    const failed = results.find((result) => result.status === 'rejected')
    if (failed === undefined) return
    await this.thaw()
    throw failed.reason
  }

  /** Thaws whatever is frozen, and waits a while for what is being frozen. Gives what went wrong. */
  async thaw(): Promise<readonly string[]> {
    this.#isThawing = true
    for (const thaw of this.#waiting.splice(0)) thaw()
    await raceWithTime(this.settle(), HANGING_FREEZE_WAIT_MS, () => {
      this.#problems.push('a freeze has not ended yet; it is thawed as soon as it does')
    })
    return this.#problems
  }

  /** Resolves when no freeze hangs any more, and what it froze is thawed. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#freezes)
    await Promise.all(this.#thaws)
  }

  async #sync(): Promise<void> {
    await Promise.all(this.#mounts.map((mount) => attempt(mount, () => mount.sync())))
  }

  async #freezeOne(mount: FreezableMount): Promise<void> {
    await attempt(mount, () => mount.freeze())
    const thaw = (): void => {
      this.#thaws.push(this.#thawOne(mount))
    }
    if (this.#isThawing) thaw()
    else this.#waiting.unshift(thaw)
  }

  async #thawOne(mount: FreezableMount): Promise<void> {
    try {
      if (!(await mount.thaw())) this.#problems.push(`"${mount.path}" was thawed by somebody else`)
      await mount[Symbol.asyncDispose]()
    } catch (error) {
      this.#problems.push(`"${mount.path}" cannot be thawed: ${reasonOf(error)}`)
    }
  }
}

async function attempt<T>(mount: { readonly path: string }, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw new NotFrozen(mount.path, reasonOf(error))
  }
}

function reasonOf(error: unknown): string {
  const meaning = errnoMeaning(error)
  if (error instanceof Error && 'code' in error && error.code === 'EBUSY') return 'it is frozen already'
  return meaning ?? (error instanceof Error ? error.message : String(error))
}

async function raceWithTime(work: Promise<unknown>, timeoutMs: number, onLate: () => void): Promise<void> {
  const ended = new AbortController()
  const late = sleep(timeoutMs, true, { signal: ended.signal }).catch(() => false)
  if ((await Promise.race([work, late])) === true) onLate()
  ended.abort()
}
