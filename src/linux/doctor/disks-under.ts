import { realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { deviceNumberOf } from '../device-number.ts'
import { blockFolderOf, diskFolderOf, listSysfs } from '../sysfs.ts'
import type { BlockDisk } from './block-disks.ts'

/** Those of the disks `here` that are at the bottom of a device, multipath maps whole; none for what is no block device. */
export async function disksUnder(path: string, here: readonly BlockDisk[]): Promise<readonly BlockDisk[]> {
  const stats = await stat(path, { bigint: true })
  if (!stats.isBlockDevice()) return []
  const folder = await blockFolderOf(deviceNumberOf(stats.rdev))
  if (folder === null) return []
  const disks = new Map(here.map((disk) => [disk.kernelName, disk]))
  const found = new Set<BlockDisk>()
  await walk(folder, { disks, found, seen: new Set() })
  return [...found]
}

type Walk = {
  readonly disks: ReadonlyMap<string, BlockDisk>
  readonly found: Set<BlockDisk>
  readonly seen: Set<string>
}

async function walk(folder: string, state: Walk): Promise<void> {
  if (state.seen.has(folder)) return
  state.seen.add(folder)
  const { disk } = await diskFolderOf(folder)
  const bottom = state.disks.get(basename(disk))
  if (bottom !== undefined) {
    state.found.add(bottom)
    return
  }
  for (const name of await listSysfs(join(folder, 'slaves'))) {
    await walk(await realpath(join(folder, 'slaves', name)), state)
  }
}
