import { basename } from 'node:path'
import type { Provider } from '../../capture/provider/provider.ts'
import type { ImageDevice, ProvidedImage } from '../../capture/provider/provided-image.ts'
import { ErrorCode, isBackupError } from '../../domain/backup-error.ts'
import { dataRanges } from '../../extents/data-ranges.ts'
import { encodeShared } from '../../extents/encode-shared.ts'
import type { ChosenProvider } from '../../host/choose-provider.ts'
import { freezeChosen, heldBase, type FreezeChosenParts } from '../../host/freeze-chosen.ts'
import type { SourceAddress } from '../../lane/lane-messages.ts'
import type { RangeStream } from '../../mover/backup-source.ts'
import type { FrozenSource, FrozenSources } from './frozen-source.ts'

/** Freezes what is to be frozen: in one moment all that one provider freezes. */
export async function freezeSources(
  chosen: readonly ChosenProvider[],
  parts: FreezeChosenParts,
): Promise<FrozenSources> {
  await using stack = new AsyncDisposableStack()
  const frozen = stack.use(await freezeChosen(chosen, parts))
  const sources = new Map<string, FrozenSource>()
  for (const one of frozen.images()) {
    const about = { ...one, lineageKey: parts.lineageKey }
    sources.set(one.choice.argument, await frozenSource(one.image, about, parts.signal))
  }
  const held = stack.move()
  return {
    sources,
    degraded: frozen.degraded,
    lost: frozen.lost,
    keep: (pointId, signal) => frozen.keep(pointId, signal),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

type About = {
  readonly provider: Provider
  readonly choice: ChosenProvider
  readonly windowMs: number | null
  readonly lineageKey: string
}

async function frozenSource(image: ProvidedImage, about: About, signal: AbortSignal): Promise<FrozenSource> {
  const { choice, provider, windowMs } = about
  const { held } = image
  const { sizeBytes, sectorSizeBytes } = image.image
  const whole = { offset: 0, length: sizeBytes }
  const [device] = image.devices
  return {
    path: choice.argument,
    realPath: `${provider.name}:${held.source}`,
    title: basename(choice.argument),
    type: provider.name === 'reflink' ? 'file' : 'device',
    sizeBytes,
    sectorSizeBytes,
    identity: image.devices.length === 1 ? (device?.identity ?? null) : null,
    address: await addressOf(image, signal),
    lanesMax: null,
    fingerprint: () => Promise.resolve(`${provider.name}:${held.id}`),
    dataRanges: (range, now) => dataRanges(image.image.extents(range, now)),
    image: () => ({ ...image.image, [Symbol.asyncDispose]: () => Promise.resolve() }),
    handOver: () => Promise.resolve(),
    frozen: {
      record: { provider: provider.name, id: held.id, source: held.source, windowMs: wholeMs(windowMs) },
      moved: (now) => image.identify(now),
      map: (now) =>
        encodeShared(image.image.extents(whole, now), { sizeBytes, deviceCount: image.devices.length }),
      changesSince: (pointId, now) => changesSince(image, { ...about, pointId }, now),
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** The ledger counts whole milliseconds, and claims no less than what was. */
function wholeMs(windowMs: number | null): number | null {
  return windowMs === null ? null : Math.ceil(windowMs)
}

/** A clone is read as the file that it is; all else where its map says. */
async function addressOf(image: ProvidedImage, signal: AbortSignal): Promise<SourceAddress> {
  const { sizeBytes } = image.image
  const devices = image.devices.map(deviceAddress)
  const [device] = devices
  if (image.held.provider === 'reflink' && device !== undefined) return device
  const extents = image.image.extents({ offset: 0, length: sizeBytes }, signal)
  return { sizeBytes, map: await encodeShared(extents, { sizeBytes, deviceCount: devices.length }), devices }
}

function deviceAddress({ path, fd, sizeBytes, direct }: ImageDevice): {
  readonly path: string
  readonly fd: number
  readonly sizeBytes: number
  readonly direct: boolean
} {
  return { path, fd, sizeBytes, direct }
}

async function changesSince(
  image: ProvidedImage,
  about: About & { readonly pointId: string },
  signal: AbortSignal,
): Promise<RangeStream | 'lost' | null> {
  if (image.changesSince === null) return null
  const base = await heldBase({ provider: about.provider, image }, about, signal)
  if (base === null) return 'lost'
  try {
    return await image.changesSince(base, signal)
  } catch (error) {
    if (isBackupError(error, ErrorCode.ChangesUnknown)) return 'lost'
    throw error
  }
}
