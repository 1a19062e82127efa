import type { ImageDevice } from '../capture/provider/provided-image.ts'
import type { DeviceIdentity } from '../domain/device-identity.ts'
import type { Extent, ExtentBatch } from '../domain/extent.ts'
import { deviceNumberAt } from '../linux/disk-statistics.ts'
import { diskUnder, type DiskUnder } from '../linux/disk-under.ts'

/** The disks under an image, as other hosts find them, and how its extents are told in their terms. */
export type PlacedDevices = {
  /** Empty when some of the bytes lie where no other host can find them. */
  readonly disks: readonly DeviceIdentity[]
  /** `major:minor` of what answers for the image on this host. */
  readonly deviceNumbers: readonly string[]
  place(batch: ExtentBatch): ExtentBatch
}

/** Of a partition the disk is told, and extents lie so much further on it: what hosts call partitions differs. */
export async function placeDevices(
  devices: readonly ImageDevice[],
  signal: AbortSignal,
): Promise<PlacedDevices> {
  const found = await Promise.all(devices.map(({ path }) => diskUnder(path, signal)))
  const disks: DeviceIdentity[] = []
  const numbers: string[] = []
  const places: { readonly device: number; readonly offsetBytes: number }[] = []
  for (const disk of found) {
    if (disk === null || disk.identity.name === null) continue
    const known = numbers.indexOf(disk.deviceNumber)
    if (known === -1) {
      numbers.push(disk.deviceNumber)
      disks.push(disk.identity)
    }
    places.push({ device: known === -1 ? disks.length - 1 : known, offsetBytes: disk.offsetBytes })
  }
  const deviceNumbers = await numbersOf(devices, found)
  if (places.length < devices.length || places.length === 0) {
    return { disks: [], deviceNumbers, place: (batch) => batch.map(placeNowhere) }
  }
  return {
    disks,
    deviceNumbers,
    place: (batch) =>
      batch.map((extent) => {
        if (extent.kind !== 'data') return extent
        const place = places[extent.device]
        if (place === undefined) throw new RangeError(`the map names device ${extent.device}`)
        const { device, offsetBytes } = place
        return { ...extent, device, physicalOffset: extent.physicalOffset + offsetBytes }
      }),
  }
}

/** Who reads it through this host is told which bytes are data, as if they lay on a device of their own. */
function placeNowhere(extent: Extent): Extent {
  return extent.kind === 'data' ? { ...extent, device: 0, physicalOffset: extent.offset } : extent
}

/** Of a file the device that its file system lies on. */
async function numbersOf(
  devices: readonly ImageDevice[],
  found: readonly (DiskUnder | null)[],
): Promise<readonly string[]> {
  const numbers = await Promise.all(
    devices.map(async ({ path }, index) => found[index]?.deviceNumber ?? deviceNumberAt(path)),
  )
  return [...new Set(numbers)]
}
