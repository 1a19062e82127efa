import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { deviceNumberOf } from './device-number.ts'
import { parseMountInfo, parseSwaps, type Mount } from './mounts.ts'
import { blockFolderOf, listSysfs, readSysfs } from './sysfs.ts'

/**
 * Who uses a device or an image file, its partitions and whatever is built on them included. Other mount
 * namespaces and other programs that have it open are not seen.
 */
export type DeviceUse = {
  /** Mount points of file systems that write. */
  readonly mountedReadWrite: readonly string[]
  readonly mountedReadOnly: readonly string[]
  readonly swap: boolean
  /** Block devices built on it: logical volumes, RAID, … such as `dm-3`. */
  readonly holders: readonly string[]
  /** Loop devices that it backs, such as `/dev/loop0`. */
  readonly loopDevices: readonly string[]
}

/** Asks /proc and /sys who uses what lies at `realPath`. Throws the system's error when nothing lies there. */
export async function deviceUse(realPath: string): Promise<DeviceUse> {
  const found: Found = { numbers: new Set(), holders: new Set(), loops: new Set() }
  const stats = await stat(realPath, { bigint: true })
  if (stats.isBlockDevice()) await walk(deviceNumberOf(stats.rdev), found)
  await walkLoops(fileKey(stats), found)
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'))
  const mounted = await keep(mounts, (mount) => isMountOf(mount, found.numbers))
  const swaps = parseSwaps((await readSysfs('/proc/swaps')) ?? '')
  const swap = await keep(swaps, async (path) => {
    const key = await keyOf(path)
    return key !== null && (key === fileKey(stats) || found.numbers.has(key))
  })
  const points = (writable: boolean): readonly string[] =>
    mounted.filter((mount) => mount.writable === writable).map((mount) => mount.mountPoint)
  return {
    mountedReadWrite: points(true),
    mountedReadOnly: points(false),
    swap: swap.length > 0,
    holders: [...found.holders].toSorted(),
    loopDevices: [...found.loops].toSorted(),
  }
}

/** What uses a device or file, as half a sentence; null when nothing does. */
export function describeUse(use: DeviceUse): string | null {
  const mounted = [...use.mountedReadWrite, ...use.mountedReadOnly]
  if (mounted.length > 0) return `it is mounted at ${mounted.map((point) => `"${point}"`).join(', ')}`
  if (use.swap) return 'it is swap space'
  if (use.holders.length > 0) return `it is part of ${use.holders.join(', ')}`
  if (use.loopDevices.length > 0) return `it is the backing of ${use.loopDevices.join(', ')}`
  return null
}

type Found = {
  /** `major:minor` of the device, its partitions and all that is built on them. */
  readonly numbers: Set<string>
  readonly holders: Set<string>
  readonly loops: Set<string>
}

async function walk(number: string, found: Found): Promise<void> {
  if (found.numbers.has(number)) return
  found.numbers.add(number)
  const folder = await blockFolderOf(number)
  if (folder === null) return
  await walkLoops(number, found)
  for (const holder of await listSysfs(join(folder, 'holders'))) {
    found.holders.add(holder)
    await walkFolder(join(folder, 'holders', holder), found)
  }
  for (const name of await listSysfs(folder)) {
    if (!name.startsWith(basename(folder))) continue
    if ((await readSysfs(join(folder, name, 'partition'))) === null) continue
    await walkFolder(join(folder, name), found)
  }
}

async function walkFolder(folder: string, found: Found): Promise<void> {
  const number = await readSysfs(join(folder, 'dev'))
  if (number !== null) await walk(number, found)
}

/** Follows the loop devices whose backing file or device has the key. */
async function walkLoops(key: string, found: Found): Promise<void> {
  for (const name of await listSysfs('/sys/block')) {
    if (!name.startsWith('loop')) continue
    const backing = await readSysfs(join('/sys/block', name, 'loop/backing_file'))
    if (backing === null || (await keyOf(backing)) !== key) continue
    found.loops.add(`/dev/${name}`)
    await walkFolder(join('/sys/block', name), found)
  }
}

async function isMountOf(mount: Mount, numbers: ReadonlySet<string>): Promise<boolean> {
  if (numbers.has(mount.deviceNumber)) return true
  // Btrfs shows a device number of its own making; what was mounted tells one of its devices.
  if (!mount.source.startsWith('/dev/')) return false
  const key = await keyOf(mount.source)
  return key !== null && numbers.has(key)
}

/** Names a device by its number, a file by where it lies; null when the path cannot be looked at. */
async function keyOf(path: string): Promise<string | null> {
  try {
    return fileKey(await stat(path, { bigint: true }))
  } catch {
    return null // Deleted, or in another mount namespace.
  }
}

type Stats = {
  readonly rdev: bigint
  readonly dev: bigint
  readonly ino: bigint
  isBlockDevice(): boolean
}

function fileKey(stats: Stats): string {
  return stats.isBlockDevice() ? deviceNumberOf(stats.rdev) : `${deviceNumberOf(stats.dev)}/${stats.ino}`
}

async function keep<Item>(
  items: readonly Item[],
  isKept: (item: Item) => Promise<boolean>,
): Promise<readonly Item[]> {
  const kept = await Promise.all(items.map(isKept))
  return items.filter((_, index) => kept[index])
}
