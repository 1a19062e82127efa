import type { LvmTools } from '../capture/lvm/lvm-tools.ts'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Randomness } from '../domain/randomness.ts'
import type { Range } from '../domain/range.ts'
import type {
  ChallengeQuestion,
  ExtentsOfEpoch,
  PieceOfImage,
  PieceToWrite,
  StreamFrom,
  TargetOfAgent,
  TargetOrder,
} from '../rpc/agent-api.ts'
import type { AgentTargets } from './agent-targets.ts'
import { Target } from './target.ts'

const TARGETS_MAX = 16
const LEASE_SECONDS_MAX = 24 * 60 * 60
const ID_PREFIX = 'target-'

export type TargetsParts = {
  readonly tools: LvmTools
  readonly randomness: Randomness
  /** Whether the agent's own configuration lets a restore write to a path. */
  readonly mayRestore: (path: string) => boolean
}

type Leased = {
  readonly target: Target
  /** Ends what is done for its mover when nothing was heard of it for too long. */
  readonly lost: AbortController
  leaseMs: number
  timer: NodeJS.Timeout | undefined
}

/** The volumes that movers write to just now. Each is let go of when its lease ends, wherever its mover is. */
export class Targets implements AgentTargets {
  readonly #parts: TargetsParts
  readonly #open = new Map<string, Leased>()

  constructor(parts: TargetsParts) {
    this.#parts = parts
  }

  /** Whether an id is one of a target; the others are of images. */
  isTarget(id: string): boolean {
    return id.startsWith(ID_PREFIX)
  }

  async openTarget(order: TargetOrder, signal: AbortSignal): Promise<TargetOfAgent> {
    const { path, sizeBytesMin } = order
    this.#requireAllowed(path)
    const id = ID_PREFIX + this.#parts.randomness.bytes(16).toHex()
    const target = await Target.open(this.#parts.tools, { id, path, sizeBytesMin }, signal)
    try {
      const described = await target.describe(signal)
      signal.throwIfAborted()
      const { leaseSeconds } = order
      const leased = { target, lost: new AbortController(), leaseMs: 0, timer: undefined }
      this.#open.set(id, leased)
      this.#lease(leased, leaseSeconds)
      return { ...described, leaseSeconds }
    } catch (error) {
      await target[Symbol.asyncDispose]()
      throw error
    }
  }

  async *extents(from: StreamFrom, signal: AbortSignal): AsyncGenerator<ExtentsOfEpoch> {
    const { target, lost } = this.#used(from.imageId)
    yield* target.extents(from, AbortSignal.any([signal, lost.signal]))
  }

  async *identify(
    from: StreamFrom & { readonly epoch: string },
    signal: AbortSignal,
  ): AsyncGenerator<ExtentsOfEpoch> {
    const { target, lost } = this.#used(from.imageId)
    yield* target.identify(from, AbortSignal.any([signal, lost.signal]))
  }

  async challenge(question: ChallengeQuestion): Promise<readonly Uint8Array[]> {
    return await this.#used(question.imageId).target.challenge(question)
  }

  async *read(
    what: { readonly imageId: string; readonly ranges: readonly Range[] },
    signal: AbortSignal,
  ): AsyncGenerator<PieceOfImage> {
    const leased = this.#used(what.imageId)
    for await (const piece of leased.target.read(what.ranges, signal)) {
      leased.lost.signal.throwIfAborted()
      this.#touch(leased)
      yield piece
    }
  }

  async write(id: string, pieces: AsyncIterable<PieceToWrite>, signal: AbortSignal): Promise<number> {
    const leased = this.#used(id)
    const touch = (): void => this.#touch(leased)
    const touching = (async function* touched() {
      for await (const piece of pieces) {
        touch()
        yield piece
      }
    })()
    return await leased.target.write(touching, AbortSignal.any([signal, leased.lost.signal]))
  }

  /** Holds a target for longer. */
  renew(lease: { readonly groupId: string; readonly leaseSeconds: number }): void {
    this.#lease(this.#used(lease.groupId), lease.leaseSeconds)
  }

  async closeTarget(id: string): Promise<void> {
    const leased = this.#used(id)
    this.#remove(id, leased)
    try {
      await leased.target.finish()
    } finally {
      await leased.target[Symbol.asyncDispose]()
    }
  }

  /** Lets go of a target that is not finished; one that is gone already is no error. */
  async release(id: string): Promise<void> {
    const leased = this.#open.get(id)
    if (leased === undefined) return
    this.#remove(id, leased)
    const message = `Cannot go on with target ${id}: the agent let go of it, because nothing was heard of its mover for too long, or it ends`
    leased.lost.abort(new BackupError(ErrorCode.AgentRefused, message))
    await leased.target[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open.keys()].map((id) => this.release(id)))
  }

  #requireAllowed(path: string): void {
    const found = !this.#parts.mayRestore(path)
      ? `the agent's configuration does not allow that, required is a source with "restore: true"`
      : this.#open.size >= TARGETS_MAX
        ? `${this.#open.size} targets are open, at most ${TARGETS_MAX} are possible`
        : null
    if (found === null) return
    throw new BackupError(ErrorCode.AgentRefused, `Cannot restore to "${path}": ${found}`, { data: { path } })
  }

  #used(id: string): Leased {
    const leased = this.#open.get(id)
    if (leased === undefined) {
      const message = `Cannot find target ${id}: it is not open, or its lease has ended`
      throw new BackupError(ErrorCode.ImageMissing, message)
    }
    this.#touch(leased)
    return leased
  }

  #lease(leased: Leased, seconds: number): void {
    leased.leaseMs = Math.min(Math.max(1, seconds), LEASE_SECONDS_MAX) * 1000
    this.#touch(leased)
  }

  #touch(leased: Leased): void {
    clearTimeout(leased.timer)
    const { id } = leased.target
    if (!this.#open.has(id)) return
    leased.timer = setTimeout(() => void this.release(id).catch(() => {}), leased.leaseMs)
    leased.timer.unref()
  }

  #remove(id: string, leased: Leased): void {
    this.#open.delete(id)
    clearTimeout(leased.timer)
  }
}
