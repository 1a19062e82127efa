import type { StoredPoint } from '../domain/recovery-point.ts'
import type { RangeStream } from '../mover/backup-source.ts'
import type { MapParts } from './map-sources.ts'
import type { IndexedRepository } from './open-repository.ts'

/** Where a base has data, by the names of those of its objects of which something was left out. */
export type BaseData = ReadonlyMap<string, RangeStream>

export type BaseLookParts = {
  readonly base: StoredPoint | null
  /** Opens the repository for a look before the run itself does. */
  readonly open: () => Promise<IndexedRepository>
  readonly signal: AbortSignal
}

/**
 * Looks where the base of a run has data. That takes as long as the look into the source of today and needs nothing of
 * it, so it may begin while the source is being frozen. To dispose of it ends a look that nobody asked for any more.
 */
export class BaseLook implements AsyncDisposable {
  readonly #parts: BaseLookParts
  readonly #unwanted = new AbortController()
  #ahead: Promise<BaseData | null> | null = null

  constructor(parts: BaseLookParts) {
    this.#parts = parts
  }

  /** Begins, if the run will probably ask: it does when the base's frozen image is held and shows what changed. */
  begin(): void {
    const { base } = this.#parts
    if (base !== null && hasLeftOut(base) && wasFrozen(base)) this.#ahead ??= this.#lookAhead(base)
  }

  /** Null when the base has all that its source had. */
  async find(parts: MapParts): Promise<BaseData | null> {
    const { base } = this.#parts
    if (base === null || !hasLeftOut(base)) return null
    return (await this.#ahead) ?? (await look(parts, base))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwanted.abort()
    await this.#ahead
  }

  /** Null when it failed: who needs it looks again, and says why it cannot. */
  async #lookAhead(base: StoredPoint): Promise<BaseData | null> {
    const signal = AbortSignal.any([this.#parts.signal, this.#unwanted.signal])
    try {
      await using repository = await this.#parts.open()
      return await look({ repository, progress: () => {}, signal }, base)
    } catch {
      return null
    }
  }
}

/** The readers of formats are half of the program, and are loaded only when something is to be read. */
async function look(parts: MapParts, base: StoredPoint): Promise<BaseData> {
  const { mapBase } = await import('./map-sources.ts')
  return await mapBase(parts, base)
}

function hasLeftOut({ point }: StoredPoint): boolean {
  return point.objects.some(({ ledger }) => ledger.freeBytes !== null)
}

function wasFrozen({ point }: StoredPoint): boolean {
  return point.objects.some(({ ledger }) => ledger.image !== undefined)
}
