import type { HeldImage } from '../capture/provider/held-image.ts'
import type { ProvidedImage } from '../capture/provider/provided-image.ts'
import type { FrozenGroup, Provider } from '../capture/provider/provider.ts'
import type { Clock } from '../domain/clock.ts'
import { DegradedCode, type Degraded } from '../domain/ledger.ts'
import type { Randomness } from '../domain/randomness.ts'
import { ownProcessIdentity, processWord } from '../linux/process-identity.ts'
import type { ChosenProvider } from './choose-provider.ts'
import { isFreezing, type FreezingProvider } from './provider-name.ts'
import { loadProvider } from './providers.ts'

/** So long an image is held for a run of which nothing more is heard. */
const LEASE_MS = 24 * 60 * 60 * 1000

export type FreezeChosenParts = {
  readonly clock: Clock
  readonly randomness: Randomness
  readonly lineageKey: string
  readonly signal: AbortSignal
  /** So long the writers of several volumes may wait for their one moment. */
  readonly freezeDeadlineMs: number
  /** Called when all is frozen, if the last provider can tell: from then on nobody has to stand still. */
  readonly whenFrozen: () => Promise<void>
}

/** An image, and how it came to be. */
export type ChosenImage = {
  readonly choice: ChosenProvider
  readonly provider: Provider
  readonly image: ProvidedImage
  readonly windowMs: number | null
}

export type FrozenChosen = AsyncDisposable & {
  /** Asked anew after `keep`: what holds them has changed. */
  readonly images: () => readonly ChosenImage[]
  readonly degraded: readonly Degraded[]
  /** Aborted when the images had to be given up, with the reason. */
  readonly lost: AbortSignal
  /** Keeps the images for the next run of the lineage, which then needs to read only what changed. */
  keep(pointId: string, signal: AbortSignal): Promise<void>
}

type Frozen = {
  readonly provider: Provider
  readonly own: readonly ChosenProvider[]
  readonly group: FrozenGroup
}

/** Freezes what is to be frozen: in one moment all that one provider freezes. */
export async function freezeChosen(
  chosen: readonly ChosenProvider[],
  parts: FreezeChosenParts,
): Promise<FrozenChosen> {
  await using stack = new AsyncDisposableStack()
  const frozen: Frozen[] = []
  const wanted = [...byProvider(chosen)]
  for (const [name, own] of wanted) {
    const provider = await loadProvider(name, parts)
    const isLast = name === wanted.at(-1)?.[0]
    const group = stack.use(await freezeGroup(provider, own, { ...parts, isLast }))
    if (group.images.length !== own.length)
      throw new RangeError('the provider froze not what it was asked for')
    frozen.push({ provider, own, group })
  }
  const groups = frozen.map(({ group }) => group)
  const held = stack.move()
  return {
    images: () => frozen.flatMap(imagesOf),
    degraded: [...groups.flatMap(({ degraded }) => degraded), ...momentsOf(groups)],
    lost: AbortSignal.any(groups.flatMap(({ lost }) => lost ?? [])),
    async keep(pointId, signal) {
      for (const group of groups) await group.keep(pointId, signal)
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

function imagesOf({ provider, own, group }: Frozen): ChosenImage[] {
  return group.images.flatMap((image, index) => {
    const choice = own[index]
    return choice === undefined ? [] : [{ choice, provider, image, windowMs: group.windowMs }]
  })
}

/** What one provider freezes together is of one moment; what two of them freeze is not. */
function momentsOf(groups: readonly FrozenGroup[]): Degraded[] {
  if (groups.length < 2) return []
  const kinds = groups.map(({ images }) => images[0]?.held.provider ?? '').join(' and ')
  const message = `The sources were frozen by ${kinds}, one after the other: they are of different moments`
  return [{ code: DegradedCode.MomentsDiffer, message }]
}

function byProvider(
  chosen: readonly ChosenProvider[],
): ReadonlyMap<FreezingProvider, readonly ChosenProvider[]> {
  const groups = new Map<FreezingProvider, ChosenProvider[]>()
  for (const choice of chosen) {
    if (!isFreezing(choice.provider)) continue
    const group = groups.get(choice.provider)
    if (group === undefined) groups.set(choice.provider, [choice])
    else group.push(choice)
  }
  return groups
}

async function freezeGroup(
  provider: Provider,
  chosen: readonly ChosenProvider[],
  {
    clock,
    lineageKey,
    freezeDeadlineMs,
    signal,
    whenFrozen,
    isLast,
  }: FreezeChosenParts & { readonly isLast: boolean },
): Promise<FrozenGroup> {
  const request = {
    ...(isLast ? { whenFrozen } : {}),
    sources: chosen.map(({ source }) => source),
    lineageKey,
    freezeDeadlineMs,
    leaseEndsAtMs: clock.now().getTime() + LEASE_MS,
    owner: processWord(ownProcessIdentity()),
  }
  return await provider.freeze(request, signal)
}

/** The image of the same source that is held for the point `pointId` of the lineage; null when none is. */
export async function heldBase(
  { provider, image }: Pick<ChosenImage, 'provider' | 'image'>,
  point: { readonly pointId: string; readonly lineageKey: string },
  signal: AbortSignal,
): Promise<HeldImage | null> {
  const held = image.heldBefore ?? (await provider.held(signal))
  const base = held.find(
    ({ lineageKey, source, use }) =>
      use.kind === 'base' &&
      use.pointId === point.pointId &&
      lineageKey === point.lineageKey &&
      source === image.held.source,
  )
  return base ?? null
}
