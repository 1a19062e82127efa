import { setTimeout } from 'node:timers/promises'
import type { HeldImage } from '../provider/held-image.ts'
import type { FreezeRequest, FrozenGroup, Provider } from '../provider/provider.ts'
import { encodeFacts, type CloneFacts } from './clone-facts.ts'
import { cloneTogether, type CloneSet } from './clone-set.ts'
import { costOf, heldImageOf, PROVIDER_NAME, visitClones } from './held-clones.ts'
import { ProvidedClone } from './provided-clone.ts'
import type { CloneSource, UnnamedClone } from '../../domain/file-clone.ts'
import type { ReflinkTools } from './reflink-tools.ts'
import { EXTENT_COUNT_MAX, requireRoomToFreeze, requireShortFreeze } from './production-limits.ts'

const ID_BYTES = 16

/** Freezes files of XFS and Btrfs as clones, which share the file's blocks until somebody writes. */
export function reflinkProvider(tools: ReflinkTools): Provider {
  return {
    name: PROVIDER_NAME,
    freeze: (request, signal) => freeze(tools, request, signal),
    held: (signal) => listHeld(tools, signal),
    release: (image, signal) => release(tools, image, signal),
  }
}

async function freeze(
  tools: ReflinkTools,
  request: FreezeRequest,
  signal: AbortSignal,
): Promise<FrozenGroup> {
  signal.throwIfAborted()
  await using sources = new AsyncDisposableStack()
  const opened: CloneSource[] = []
  for (const path of request.sources) {
    const source = sources.use(await tools.openSource(path))
    requireRoomToFreeze(path, await source.room())
    requireShortFreeze(path, await source.extentCount(EXTENT_COUNT_MAX, signal))
    opened.push(source)
  }
  const set = await cloneTogether(opened, { wait: (ms) => setTimeout(ms), signal })
  await using images = new AsyncDisposableStack()
  for (const clone of set.clones) images.use(clone)
  const published: ProvidedClone[] = []
  for (const [index, clone] of set.clones.entries()) {
    signal.throwIfAborted()
    const source = opened[index]?.path ?? ''
    published.push(images.use(await publish(tools, clone, { request, source })))
  }
  signal.throwIfAborted()
  return groupOf(tools, { set, published, owned: images.move() })
}

async function publish(
  tools: ReflinkTools,
  clone: UnnamedClone,
  { request, source }: { readonly request: FreezeRequest; readonly source: string },
): Promise<ProvidedClone> {
  const { inode, generation, sizeBytes, modifiedNs } = clone.state
  const facts: CloneFacts = {
    id: tools.randomness.bytes(ID_BYTES).toHex(),
    lineageKey: request.lineageKey,
    source,
    createdAtMs: tools.clock.now().getTime(),
    use: { kind: 'run', leaseEndsAtMs: request.leaseEndsAtMs, owner: request.owner },
    inode,
    generation,
    sizeBytes,
    modifiedNs,
  }
  const named = await clone.publish(facts.id, encodeFacts(facts))
  return new ProvidedClone({ clone: named, facts, state: await named.state() })
}

type Published = {
  readonly set: CloneSet
  readonly published: readonly ProvidedClone[]
  readonly owned: AsyncDisposableStack
}

function groupOf(tools: ReflinkTools, { set, published, owned }: Published): FrozenGroup {
  return {
    images: published,
    windowMs: set.windowMs,
    degraded: set.degraded,
    keep: async (pointId, signal) => {
      for (const image of published) await image.keep(pointId)
      for (const image of published) image.markKept()
      await releaseOtherBases(tools, published, signal)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Also those that a run left that was killed between the two steps of keeping. */
async function releaseOtherBases(
  tools: ReflinkTools,
  published: readonly ProvidedClone[],
  signal: AbortSignal,
): Promise<void> {
  const kept = new Set(published.map(({ held }) => held.id))
  const lineageKey = published[0]?.held.lineageKey
  await visitClones(
    tools,
    async ({ clone, facts }) => {
      const isBase = facts.use.kind === 'base' && facts.lineageKey === lineageKey
      if (isBase && !kept.has(facts.id)) await clone.remove()
    },
    signal,
  )
}

async function listHeld(tools: ReflinkTools, signal: AbortSignal): Promise<readonly HeldImage[]> {
  const held: HeldImage[] = []
  await visitClones(
    tools,
    async ({ clone, facts }) => {
      held.push(heldImageOf(facts, clone, await costOf(clone, signal)))
    },
    signal,
  )
  return held
}

async function release(tools: ReflinkTools, image: HeldImage, signal: AbortSignal): Promise<void> {
  await visitClones(
    tools,
    async ({ clone, facts }) => {
      if (facts.id === image.id) await clone.remove()
    },
    signal,
  )
}
