import { realpath } from 'node:fs/promises'
import { chooseHooks } from '../capture/hooks/choose-hooks.ts'
import type { Clock } from '../domain/clock.ts'
import type { Randomness } from '../domain/randomness.ts'
import { chooseProvider, type ChosenProvider } from '../host/choose-provider.ts'
import { freezeChosen, heldBase, type ChosenImage, type FrozenChosen } from '../host/freeze-chosen.ts'
import { isFreezing } from '../host/provider-name.ts'
import { runInWindow, type MaybeQuiesced } from '../host/run-in-window.ts'
import type { AgentConfiguration } from './agent-configuration.ts'
import { AgentImage } from './agent-image.ts'
import { requireAllowed } from './allowed-source.ts'
import { deviceImage } from './device-image.ts'
import { DiskLoadMeter } from './disk-load.ts'
import type { CheckedOrder } from './freeze-order.ts'
import { placeDevices } from './placed-devices.ts'

export type FreezeForMoverParts = {
  readonly clock: Clock
  readonly randomness: Randomness
  readonly configuration: AgentConfiguration
  readonly notice: (message: string) => void
  readonly watchdogLog: string
}

/** How the sources of an order will be frozen, once the configuration allows all of them. */
export async function chooseForMover(
  { sources, provider }: CheckedOrder,
  configuration: AgentConfiguration,
  signal: AbortSignal,
): Promise<readonly ChosenProvider[]> {
  const chosen: ChosenProvider[] = []
  for (const argument of sources) {
    // From here on what it leads to: nobody can lead it elsewhere meanwhile.
    const path = await requireAllowed(configuration.sources, argument, 'freeze')
    chosen.push({ ...(await chooseProvider(path, { provider, allowMounted: false }, signal)), argument })
  }
  return chosen
}

/** What is frozen, by where it leads to: the same for a volume and for its mount point. */
export async function keysOf(chosen: readonly ChosenProvider[]): Promise<readonly string[]> {
  return await Promise.all(chosen.map(({ source }) => realpath(source)))
}

/** Freezes, with the hooks of the agent's own configuration. */
export async function freezeForMover(
  parts: FreezeForMoverParts,
  { order, chosen }: { readonly order: CheckedOrder; readonly chosen: readonly ChosenProvider[] },
  signal: AbortSignal,
): Promise<MaybeQuiesced<FrozenChosen>> {
  const { clock, randomness, configuration, notice, watchdogLog } = parts
  const { lineage, sources, lineageKey } = order
  const { freezeDeadlineMs } = configuration
  const window = {
    hooks: chooseHooks(configuration.hookSets, { lineage, sources }),
    lineage,
    sources,
    mountPoints: [],
    freezeDeadlineMs,
  }
  return await runInWindow({ randomness, notice, signal, watchdogLog }, window, async (now, letGo) => {
    // What nobody here freezes stands still by the grace of the hooks until it is open.
    const whenFrozen = chosen.every(({ provider }) => isFreezing(provider)) ? letGo : nothing
    const freezing = chosen.filter(({ provider }) => isFreezing(provider))
    await using stack = new AsyncDisposableStack()
    const frozen = stack.use(
      await freezeChosen(freezing, {
        clock,
        randomness,
        lineageKey,
        freezeDeadlineMs,
        signal: now,
        whenFrozen,
      }),
    )
    const still: ChosenImage[] = []
    for (const choice of chosen) {
      if (isFreezing(choice.provider)) continue
      still.push({
        choice,
        provider: NO_PROVIDER,
        image: stack.use(await deviceImage(choice.source)),
        windowMs: null,
      })
    }
    const held = stack.move()
    return {
      ...frozen,
      images: () => [...frozen.images(), ...still],
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    }
  })
}

/** Of what somebody else froze: nothing is held of it, and nothing is to be released. */
const NO_PROVIDER: ChosenImage['provider'] = {
  name: 'device',
  freeze: () => Promise.reject(new RangeError('nothing freezes a device')),
  held: () => Promise.resolve([]),
  release: nothing,
}

function nothing(): Promise<void> {
  return Promise.resolve()
}

/** The images as movers ask for them, in the order of the order. */
export async function agentImages(
  { frozen, order }: { readonly frozen: FrozenChosen; readonly order: CheckedOrder },
  { randomness, ended }: { readonly randomness: Randomness; readonly ended: AbortSignal },
  signal: AbortSignal,
): Promise<readonly AgentImage[]> {
  const made = frozen.images()
  const images: AgentImage[] = []
  for (const source of order.sources) {
    const one = made.find(({ choice }) => choice.argument === source)
    if (one === undefined) throw new RangeError(`"${source}" was not frozen`)
    const { basePointId, lineageKey } = order
    const placed = await placeDevices(one.image.devices, signal)
    const knowsChanges = one.image.changesSince !== null && basePointId !== null
    images.push(
      new AgentImage({
        id: randomness.bytes(16).toHex(),
        source,
        provided: one.image,
        placed,
        meter: await DiskLoadMeter.start(placed.deviceNumbers),
        windowMs: one.windowMs === null ? null : Math.ceil(one.windowMs),
        base: knowsChanges ? await heldBase(one, { pointId: basePointId, lineageKey }, signal) : null,
        basePointId: knowsChanges ? basePointId : null,
        ended,
      }),
    )
  }
  return images
}
