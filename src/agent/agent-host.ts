import { hostname } from 'node:os'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { Clock } from '../domain/clock.ts'
import type { DeviceIdentity } from '../domain/device-identity.ts'
import type { Randomness } from '../domain/randomness.ts'
import type { RangeBatch } from '../domain/range.ts'
import { heldImages } from '../host/held-images.ts'
import { seenDisks } from '../linux/disk-names.ts'
import type {
  AgentApi,
  AgentStatus,
  AllowedSource,
  ChallengeQuestion,
  DiskLoad,
  ExtentsOfEpoch,
  FreezeOrder,
  FrozenByAgent,
  PieceOfImage,
  PieceToWrite,
  StreamFrom,
  TargetOfAgent,
  TargetOrder,
} from '../rpc/agent-api.ts'
import type { AgentConfiguration } from './agent-configuration.ts'
import { AgentGroup } from './agent-group.ts'
import { requireAllowed } from './allowed-source.ts'
import { challengeDigests, piecesOf } from './bytes-of-image.ts'
import { agentImages, chooseForMover, freezeForMover, keysOf } from './freeze-for-mover.ts'
import { checkOrder, grantedLease, requirePointId } from './freeze-order.ts'
import { HeldGroups } from './held-groups.ts'
import { heldByAgent, imageOfAgent } from './image-of-agent.ts'
import { StreamLimit } from './stream-limit.ts'
import type { AgentTargets } from './agent-targets.ts'

export type AgentHostParts = {
  /** That of the moment: it may be read anew while the agent runs. */
  readonly configuration: () => AgentConfiguration
  readonly certificates: AgentCertificates
  readonly targets: AgentTargets
  /** Throws AGENT_REFUSED when what is done cannot be written to the audit log. */
  readonly beforeChange: () => void
  readonly notice: (message: string) => void
  readonly watchdogLog: string
  readonly version: string
  readonly clock: Clock
  readonly randomness: Randomness
}

/** The agent's own key and certificate. */
export type AgentCertificates = Pick<AgentApi, 'signingRequest' | 'installCertificate'> & {
  readonly endsAtMs: () => number
}

/** What movers ask of this host. To dispose of it releases what runs hold; bases stay. */
export function agentHost(parts: AgentHostParts): AgentApi & AsyncDisposable {
  return new AgentHost(parts)
}

class AgentHost implements AgentApi, AsyncDisposable {
  readonly #parts: AgentHostParts
  readonly #groups = new HeldGroups()
  readonly #streams = new StreamLimit()
  readonly #stopped = new AbortController()

  constructor(parts: AgentHostParts) {
    this.#parts = parts
  }

  async status(signal: AbortSignal): Promise<AgentStatus> {
    const { certificates, version, clock } = this.#parts
    const held = await heldImages(this.#parts, signal)
    return {
      version,
      host: hostname(),
      nowMs: clock.now().getTime(),
      certificateEndsAtMs: certificates.endsAtMs(),
      held: held.map(({ image }) => heldByAgent(image)),
      disks: (await seenDisks()).map(({ identity }) => identity).filter(isShared),
    }
  }

  listSources(): Promise<readonly AllowedSource[]> {
    return Promise.resolve(this.#parts.configuration().sources)
  }

  async freeze(order: FreezeOrder, signal: AbortSignal): Promise<FrozenByAgent> {
    const { randomness, notice } = this.#parts
    const configuration = this.#parts.configuration()
    const whileRunning = AbortSignal.any([signal, this.#stopped.signal])
    const checked = checkOrder(order, configuration.limits.leaseSeconds)
    this.#parts.beforeChange()
    const chosen = await chooseForMover(checked, configuration, whileRunning)
    const keys = await keysOf(chosen)
    using _turn = await this.#groups.turn(keys, {
      groupsMax: configuration.limits.groups,
      signal: whileRunning,
    })
    await using stack = new AsyncDisposableStack()
    const quiesced = await freezeForMover(
      { ...this.#parts, configuration },
      { order: checked, chosen },
      whileRunning,
    )
    const frozen = stack.use(quiesced.frozen)
    const ended = new AbortController()
    const about = { randomness, ended: ended.signal }
    const images = await agentImages({ frozen, order: checked }, about, whileRunning)
    whileRunning.throwIfAborted()
    stack.move() // From here on the group's.
    const onExpired = ({ id }: AgentGroup): void => void this.#groups.release(id).catch(() => {})
    const id = randomness.bytes(16).toHex()
    const group = new AgentGroup({ id, keys, images, frozen, ended, onExpired, notice }, checked.leaseSeconds)
    this.#groups.add(group)
    return {
      groupId: id,
      images: images.map(imageOfAgent),
      freeze: quiesced.record,
      degraded: [...frozen.degraded, ...quiesced.degraded],
      leaseSeconds: checked.leaseSeconds,
    }
  }

  extents(from: StreamFrom, signal: AbortSignal): AsyncIterable<ExtentsOfEpoch> {
    if (this.#parts.targets.isTarget(from.imageId)) return this.#parts.targets.extents(from, signal)
    return this.#stream(from.imageId, () =>
      this.#groups.image(from.imageId).extents(from.startingOffset, signal),
    )
  }

  delta(from: StreamFrom & { readonly basePointId: string }, signal: AbortSignal): AsyncIterable<RangeBatch> {
    return this.#stream(from.imageId, () => this.#groups.image(from.imageId).delta(from, signal))
  }

  identify(
    from: StreamFrom & { readonly epoch: string },
    signal: AbortSignal,
  ): AsyncIterable<ExtentsOfEpoch> {
    if (this.#parts.targets.isTarget(from.imageId)) return this.#parts.targets.identify(from, signal)
    return this.#stream(from.imageId, () => this.#groups.image(from.imageId).identify(from, signal))
  }

  async challenge(question: ChallengeQuestion, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    if (this.#parts.targets.isTarget(question.imageId)) return await this.#parts.targets.challenge(question)
    using _open = this.#streams.open(this.#parts.configuration().limits.streams)
    return await challengeDigests(this.#groups.image(question.imageId), question, signal)
  }

  read(
    { imageId, ranges }: Parameters<AgentApi['read']>[0],
    signal: AbortSignal,
  ): AsyncIterable<PieceOfImage> {
    if (this.#parts.targets.isTarget(imageId)) return this.#parts.targets.read({ imageId, ranges }, signal)
    return this.#stream(imageId, () => piecesOf(this.#groups.image(imageId), ranges, signal))
  }

  async load(imageId: string): Promise<DiskLoad> {
    return await this.#groups.image(imageId).load()
  }

  async renew(lease: Parameters<AgentApi['renew']>[0]): Promise<number> {
    const { groupId } = lease
    const leaseSeconds = this.#granted(lease.leaseSeconds)
    if (this.#parts.targets.isTarget(groupId)) this.#parts.targets.renew({ groupId, leaseSeconds })
    else this.#groups.group(groupId).renew(leaseSeconds)
    return await Promise.resolve(leaseSeconds)
  }

  async keep({ groupId, pointId }: Parameters<AgentApi['keep']>[0], signal: AbortSignal): Promise<void> {
    requirePointId(pointId)
    this.#parts.beforeChange()
    await this.#groups.group(groupId).keep(pointId, signal)
  }

  async release(groupId: string): Promise<void> {
    if (this.#parts.targets.isTarget(groupId)) await this.#parts.targets.release(groupId)
    else await this.#groups.release(groupId)
  }

  async openTarget(order: TargetOrder, signal: AbortSignal): Promise<TargetOfAgent> {
    const { sources } = this.#parts.configuration()
    const leaseSeconds = this.#granted(order.leaseSeconds)
    this.#parts.beforeChange()
    await requireAllowed(sources, order.path, 'restore')
    return await this.#parts.targets.openTarget({ ...order, leaseSeconds }, signal)
  }

  async write(targetId: string, pieces: AsyncIterable<PieceToWrite>, signal: AbortSignal): Promise<number> {
    this.#parts.beforeChange()
    using _open = this.#streams.open(this.#parts.configuration().limits.streams)
    return await this.#parts.targets.write(targetId, pieces, signal)
  }

  async closeTarget(targetId: string): Promise<void> {
    await this.#parts.targets.closeTarget(targetId)
  }

  async signingRequest(signal: AbortSignal): Promise<Uint8Array> {
    return await this.#parts.certificates.signingRequest(signal)
  }

  async installCertificate(
    issued: Parameters<AgentApi['installCertificate']>[0],
    signal: AbortSignal,
  ): Promise<void> {
    this.#parts.beforeChange()
    await this.#parts.certificates.installCertificate(issued, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort(stopping())
    await this.#parts.targets[Symbol.asyncDispose]()
    await this.#groups.releaseAll()
  }

  #granted(seconds: number): number {
    return grantedLease(seconds, this.#parts.configuration().limits.leaseSeconds)
  }

  async *#stream<Item>(imageId: string, items: () => AsyncIterable<Item>): AsyncGenerator<Item> {
    using _open = this.#streams.open(this.#parts.configuration().limits.streams)
    yield* this.#groups.whileUsed(imageId, items())
  }
}

/** Other hosts may see it too, by a name that is not this host's own. */
function isShared({ name, sizeBytes }: DeviceIdentity): boolean {
  return name !== null && !name.startsWith('dm:') && sizeBytes > 0
}

function stopping(): BackupError {
  return new BackupError(ErrorCode.AgentRefused, 'The agent refuses to begin anything: it is being stopped')
}
