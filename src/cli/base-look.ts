import type { PointObject, RecoveryPoint, StoredPoint } from '../domain/recovery-point.ts'
import { endOf } from '../domain/range.ts'
import { complementRanges } from '../extents/complement-ranges.ts'
import type { RangeStream } from '../mover/backup-source.ts'
import type { MapParts } from './map-sources.ts'
import type { LeftOutCache } from '../stores/left-out/left-out-cache.ts'
import type { LeftOut } from '../stores/left-out/left-out-format.ts'
import type { IndexedRepository } from './open-repository.ts'

const NOTHING = { offset: 0, length: 0 }

/** Where a base has data, by the names of those of its objects of which something was left out. */
export type BaseData = ReadonlyMap<string, RangeStream>

export type BaseLookParts = {
  readonly base: StoredPoint | null
  /** Knows it already of points that were stored from here. */
  readonly leftOut: Pick<LeftOutCache, 'get'>
  /** Opens the repository for a look before the run itself does. */
  readonly open: () => Promise<IndexedRepository>
  readonly signal: AbortSignal
}

/**
 * Knows where the base of a run has data: from when it was stored, or by a look into it. That takes as long as the look
 * into the source of today and needs nothing of it, so it may begin while the source is being frozen. To dispose of it
 * ends a look that nobody asked for any more.
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
    return (await this.#ahead) ?? (await this.#known(base)) ?? (await look(parts, base))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unwanted.abort()
    await this.#ahead
  }

  /** Null when it is not known, or not of this point. */
  async #known({ id, point }: StoredPoint): Promise<BaseData | null> {
    const leftOut = await this.#parts.leftOut.get(id)
    if (leftOut === null || !notWhole(point).every((object) => fits(object, leftOut))) return null
    return dataOutside(point, leftOut)
  }

  /** Null when it failed: who needs it looks again, and says why it cannot. */
  async #lookAhead(base: StoredPoint): Promise<BaseData | null> {
    const known = await this.#known(base)
    if (known !== null) return known
    const signal = AbortSignal.any([this.#parts.signal, this.#unwanted.signal])
    try {
      await using repository = await this.#parts.open()
      return await look({ repository, progress: () => {}, signal }, base)
    } catch {
      return null
    }
  }
}

function dataOutside(point: RecoveryPoint, leftOut: LeftOut): BaseData {
  return new Map(
    notWhole(point).map(({ name, sizeBytes }) => {
      return [name, () => complementRanges([leftOut.get(name) ?? []], { sizeBytes })]
    }),
  )
}

/** The point itself says how much was left out of it. */
function fits({ name, sizeBytes, ledger }: PointObject, leftOut: LeftOut): boolean {
  const ranges = leftOut.get(name)
  if (ranges === undefined) return false
  const bytes = ranges.reduce((sum, { length }) => sum + length, 0)
  return bytes === ledger.freeBytes && endOf(ranges.at(-1) ?? NOTHING) <= sizeBytes
}

/** The readers of formats are half of the program, and are loaded only when something is to be read. */
async function look(parts: MapParts, base: StoredPoint): Promise<BaseData> {
  const { findLeftOut } = await import('./map-sources.ts')
  return dataOutside(base.point, await findLeftOut(parts, base))
}

function hasLeftOut({ point }: StoredPoint): boolean {
  return notWhole(point).length > 0
}

/** Those of its objects of which something may have been left out. */
function notWhole({ objects }: RecoveryPoint): readonly PointObject[] {
  return objects.filter(({ ledger }) => ledger.freeBytes !== null)
}

function wasFrozen({ point }: StoredPoint): boolean {
  return point.objects.some(({ ledger }) => ledger.image !== undefined)
}
