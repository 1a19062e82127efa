import type { Extent } from '../../domain/extent.ts'
import type { Range } from '../../domain/range.ts'
import { composeExtents, type ExtentLayer } from '../../extents/compose-extents.ts'
import { differenceExtents } from '../../extents/difference-extents.ts'
import { encodeShared } from '../../extents/encode-shared.ts'
import { ExtentTable } from '../../extents/extent-table.ts'
import type { DeviceAddress, MappedAddress } from '../../lane/lane-messages.ts'
import type { MovedExtents } from '../../mover/backup-source.ts'
import type { OpenedSource } from '../open-source.ts'
import { isFrozen } from './frozen-source.ts'

export type FileSetPlaces = {
  readonly address: MappedAddress
  /** Absent where nothing can move. */
  readonly identify?: (signal: AbortSignal) => Promise<MovedExtents | null>
}

/**
 * Where the files of a set lie for the lanes: on their sources, or, where a source lies in pieces itself, on its disks.
 * `map` has the sources as its devices, by number, and after them `scratch`.
 */
export async function placeFileSet(
  set: { readonly map: () => Iterable<readonly Extent[]>; readonly sizeBytes: number },
  on: { readonly sources: readonly OpenedSource[]; readonly scratch: DeviceAddress },
  signal: AbortSignal,
): Promise<FileSetPlaces> {
  const { sizeBytes } = set
  const devices: DeviceAddress[] = []
  const firsts: number[] = []
  for (const { address } of on.sources) {
    firsts.push(devices.length)
    if ('map' in address) devices.push(...address.devices)
    else devices.push(address)
  }
  const scratchNumber = devices.push(on.scratch) - 1
  const place = async (now: AbortSignal): Promise<AsyncGenerator<readonly Extent[]>> => {
    const layers: ExtentLayer[] = []
    for (const [index, source] of on.sources.entries()) {
      layers.push(await layerOf(source, firsts[index] ?? 0, now))
    }
    return composeExtents(set.map(), [...layers, wholeDevice(scratchNumber)])
  }
  const encode = async (now: AbortSignal): Promise<MappedAddress['map']> =>
    await encodeShared(await place(now), { sizeBytes, deviceCount: devices.length })
  const address = { sizeBytes, map: await encode(signal), devices }
  if (!on.sources.some(isFrozen)) return { address }
  let before = await ExtentTable.read(await place(signal), { sizeBytes })
  return {
    address,
    identify: async (now) => {
      if (!(await haveMoved(on.sources, now))) return null
      const after = await ExtentTable.read(await place(now), { sizeBytes })
      const ranges: Range[] = []
      const whole = { offset: 0, length: sizeBytes }
      const difference = differenceExtents([[...before.extentsIn(whole)]], [[...after.extentsIn(whole)]])
      for await (const batch of difference) ranges.push(...batch)
      before = after
      return { ranges, map: await encode(now) }
    },
  }
}

/** Asks all of them: each tells only once what moved. */
async function haveMoved(sources: readonly OpenedSource[], signal: AbortSignal): Promise<boolean> {
  let isAny = false
  for (const source of sources) {
    if (isFrozen(source) && (await source.frozen.moved(signal)).length > 0) isAny = true
  }
  return isAny
}

async function layerOf(source: OpenedSource, first: number, signal: AbortSignal): Promise<ExtentLayer> {
  const { sizeBytes, address } = source
  if (!('map' in address)) return wholeDevice(first)
  const extents = source.image().extents({ offset: 0, length: sizeBytes }, signal)
  const table = await ExtentTable.read(extents, { sizeBytes })
  return {
    *extentsIn(range) {
      for (const extent of table.extentsIn(range)) {
        yield extent.kind === 'data' ? { ...extent, device: first + extent.device } : extent
      }
    },
  }
}

/** A device that the lanes read as it is. */
function wholeDevice(device: number): ExtentLayer {
  return {
    *extentsIn({ offset, length }) {
      yield { kind: 'data', offset, length, device, physicalOffset: offset }
    },
  }
}
