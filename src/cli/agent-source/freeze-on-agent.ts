import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { Clock } from '../../domain/clock.ts'
import { DegradedCode, type Degraded } from '../../domain/ledger.ts'
import type { Randomness } from '../../domain/randomness.ts'
import type { Transport } from '../../domain/run-mode.ts'
import type { AgentLink } from '../../lane/lane-messages.ts'
import type { FoundDisk } from '../../linux/find-disk.ts'
import type { AgentApi, FreezeOrder, ImageOfAgent } from '../../rpc/agent-api.ts'
import type { FrozenSource, FrozenSources } from '../freeze/frozen-source.ts'
import { AgentMap } from './agent-map.ts'
import { challengeFirst } from './challenge-first.ts'
import { OpenDisks } from './disks-of-image.ts'
import { holdLease, LEASE_SECONDS } from './hold-lease.ts'
import { lanSource } from './lan-source.ts'
import { letGo } from './let-go.ts'
import { sanSource } from './san-source.ts'
import type { TransportChoice } from './transport-choice.ts'

export type FreezeOnAgentParts = {
  readonly agent: AgentApi
  readonly link: AgentLink
  readonly transport: TransportChoice
  readonly clock: Clock
  readonly randomness: Randomness
  readonly notice: (message: string) => void
  readonly signal: AbortSignal
}

export type FrozenOnAgent = FrozenSources & {
  readonly groupId: string
  readonly imageIds: readonly string[]
}

/** Freezes sources of another host in one moment, and finds out how to read them. */
export async function freezeOnAgent(
  parts: FreezeOnAgentParts,
  order: Omit<FreezeOrder, 'leaseSeconds'>,
): Promise<FrozenOnAgent> {
  const { agent, link, clock, notice, signal } = parts
  await using stack = new AsyncDisposableStack()
  const frozen = await agent.freeze({ ...order, leaseSeconds: LEASE_SECONDS }, signal)
  const { groupId, leaseSeconds } = frozen
  stack.defer(() => letGo(agent, { what: 'the frozen images', groupId, leaseSeconds }, notice))
  const lease = stack.use(holdLease(agent, { groupId, leaseSeconds, host: link.host, clock }))
  const held = { ...parts, signal: AbortSignal.any([signal, lease.lost]) }
  const disks = stack.use(new OpenDisks())
  const way = await chooseWay(held, frozen.images, disks)
  const sources = new Map<string, FrozenSource>()
  for (const [index, image] of frozen.images.entries()) {
    sources.set(order.sources[index] ?? image.source, await openImage(held, image, way))
  }
  const challenged = stack.use(challengeFirst(sources, held.signal))
  const kept = stack.move()
  return {
    groupId,
    imageIds: frozen.images.map(({ imageId }) => imageId),
    sources: challenged.sources,
    degraded: [...frozen.degraded, ...way.degraded],
    transport: { requested: parts.transport === 'lan' ? 'lan' : 'san', done: way.transport },
    freeze: frozen.freeze,
    lost: lease.lost,
    keep: (pointId, now) => agent.keep({ groupId, pointId }, now),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** How all images of the group are read. */
type Way = {
  readonly transport: Extract<Transport, 'san' | 'lan'>
  readonly disksOf: ReadonlyMap<string, readonly FoundDisk[]>
  readonly degraded: readonly Degraded[]
}

async function chooseWay(
  { transport, link, notice }: FreezeOnAgentParts,
  images: readonly ImageOfAgent[],
  disks: OpenDisks,
): Promise<Way> {
  const overNetwork = { transport: 'lan', disksOf: new Map<string, readonly FoundDisk[]>() } as const
  if (transport === 'lan') return { ...overNetwork, degraded: [] }
  try {
    const disksOf = new Map<string, readonly FoundDisk[]>()
    for (const image of images) disksOf.set(image.imageId, await disks.of(image))
    return { transport: 'san', disksOf, degraded: [] }
  } catch (error) {
    if (transport === 'san' || !(error instanceof BackupError)) throw error
    const message = `The agent on "${link.host}" read and sent the data, because its disks cannot be read here: ${error.message}`
    notice(message)
    return { ...overNetwork, degraded: [{ code: DegradedCode.TransportFallback, message }] }
  }
}

async function openImage(parts: FreezeOnAgentParts, image: ImageOfAgent, way: Way): Promise<FrozenSource> {
  const { agent, link, signal, randomness } = parts
  const { host } = link
  requireRoom(image, host)
  const map = await AgentMap.receive({ agent, image, host }, signal)
  const about = { agent, image, host, signal, map }
  const disks = way.disksOf.get(image.imageId)
  if (way.transport === 'lan' || disks === undefined) return lanSource({ ...about, link })
  // The map is older than the disks are open: what moved until now is learnt before anything is read.
  await map.identify(signal)
  return await sanSource({ ...about, disks, randomness })
}

function requireRoom({ source, sizeBytes }: ImageOfAgent, host: string): void {
  if (sizeBytes > 0) return
  const message = `Cannot back up "${source}" of agent "${host}": its image holds 0 bytes, required is a volume or a file with content`
  throw new BackupError(ErrorCode.SourceUnsuitable, message)
}
