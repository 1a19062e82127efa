import type { CheckCode } from './problem.ts'

/** More than this are kept as one: what is that broken needs no finer list. */
const DAMAGES_MAX = 1000

/** One thing that is wrong with what points refer to, and the points that it hurts. */
export type Damage = {
  readonly number: number
  readonly code: CheckCode
  /** The pack that it lies in; null where no pack is known. */
  readonly packId: string | null
  /** Half a sentence. */
  readonly reason: string
  /** Chunks and nodes that cannot be read because of it. */
  lostCount: number
  /** Points that need something that is lost. */
  readonly lostBy: Set<string>
  /** Points that need something that can be read and has no other copy. */
  readonly neededBy: Set<string>
}

/** A set of damages that a subtree has, as a number: equal sets have equal numbers; 0 is none. */
export type DamageSet = number

/**
 * Keeps what is wrong. Subtrees that many points share remember only the number of their set, so that a
 * repository that lost a thousand packs is walked as fast as a sound one.
 */
export class Damages {
  readonly #damages: Damage[] = []
  readonly #byKey = new Map<string, Damage>()
  readonly #sets: (readonly number[])[] = [[]]
  readonly #numbers = new Map<string, DamageSet>([['', 0]])

  get all(): readonly Damage[] {
    return this.#damages
  }

  /** The damage of `code` to `subject`, made at its first mention. */
  of(code: CheckCode, subject: { readonly packId: string | null; readonly reason: string }): Damage {
    const isFull = this.#damages.length >= DAMAGES_MAX
    const key = isFull ? `${code} others` : `${code} ${subject.packId ?? ''}`
    const known = this.#byKey.get(key) ?? this.#byKey.get(`${code} ${subject.packId ?? ''}`)
    if (known !== undefined) return known
    const damage: Damage = {
      number: this.#damages.length,
      code,
      packId: isFull ? null : subject.packId,
      reason: isFull
        ? `more than ${DAMAGES_MAX} such findings; the first of the others: ${subject.reason}`
        : subject.reason,
      lostCount: 0,
      lostBy: new Set(),
      neededBy: new Set(),
    }
    this.#damages.push(damage)
    this.#byKey.set(key, damage)
    return damage
  }

  lost(damage: Damage): DamageSet {
    return this.#setOf([damage.number * 2])
  }

  needed(damage: Damage): DamageSet {
    return this.#setOf([damage.number * 2 + 1])
  }

  union(a: DamageSet, b: DamageSet): DamageSet {
    if (a === b || b === 0) return a
    if (a === 0) return b
    const members = new Set([...(this.#sets[a] ?? []), ...(this.#sets[b] ?? [])])
    return this.#setOf([...members].toSorted((x, y) => x - y))
  }

  /** Notes that a point has all of this. */
  hurt(set: DamageSet, pointId: string): void {
    for (const member of this.#sets[set] ?? []) {
      const damage = this.#damages[member >> 1]
      if ((member & 1) === 0) damage?.lostBy.add(pointId)
      else damage?.neededBy.add(pointId)
    }
  }

  #setOf(members: readonly number[]): DamageSet {
    const key = members.join()
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const number = this.#sets.length
    this.#sets.push(members)
    this.#numbers.set(key, number)
    return number
  }
}
