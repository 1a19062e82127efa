import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { deviceNumberOf } from '../device-number.ts'
import { blockFolderOf, listSysfs, readSysfs } from '../sysfs.ts'

/** The names of the volume groups whose volumes are active on a device of this host, its partitions included. */
export async function activeGroupsOn(path: string): Promise<readonly string[]> {
  const folder = await blockFolderOf(deviceNumberOf((await stat(path, { bigint: true })).rdev))
  if (folder === null) return []
  const parts = (await listSysfs(folder)).filter((name) => name.startsWith(basename(folder)))
  const groups = new Set<string>()
  for (const part of [folder, ...parts.map((name) => join(folder, name))]) {
    for (const holder of await listSysfs(join(part, 'holders'))) {
      const uuid = await readSysfs(join(part, 'holders', holder, 'dm/uuid'))
      const name = await readSysfs(join(part, 'holders', holder, 'dm/name'))
      if (uuid?.startsWith('LVM-') === true && name !== null) groups.add(groupOf(name))
    }
  }
  return [...groups].toSorted()
}

/** `vg--a-home` is volume home of group vg-a: LVM doubles the hyphens of names. */
export function groupOf(mapName: string): string {
  const [group = ''] = mapName.replaceAll('--', '\0').split('-')
  return group.replaceAll('\0', '-')
}
