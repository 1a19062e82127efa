import type { BlockDisk } from '../../linux/doctor/block-disks.ts'
import { type Finding, listed, ok, orWell, warning } from './finding.ts'

export type MultipathFacts = {
  readonly disks: readonly BlockDisk[]
  readonly isInstalled: boolean
  readonly isRunning: boolean
}

/** Paths of one disk belong under one map: then the system goes on by another one when a path fails. */
export function checkMultipath({ disks, isInstalled, isRunning }: MultipathFacts): readonly Finding[] {
  const name = 'multipath'
  const byKey = Map.groupBy(
    disks.filter((disk) => disk.identity.name !== null),
    (disk) => disk.identity.name,
  )
  const maps = disks.filter(({ kind }) => kind === 'map')
  const troubles: Finding[] = []
  for (const same of byKey.values()) {
    const bare = same.filter(({ kind }) => kind === 'disk').map(({ path }) => path)
    const map = same.find(({ kind }) => kind === 'map')
    if (map !== undefined && bare.length > 0) {
      const sentence = `${listed(bare)} leads to the same disk as ${map.path}, and is no path of that map`
      troubles.push(warning(name, sentence, 'Run `multipath -r`, and see why multipathd leaves it out'))
    } else if (bare.length > 1) {
      const sentence = `${listed(bare)} lead to one disk, and no multipath map joins them: when a path fails, so does what runs on it`
      troubles.push(warning(name, sentence, isInstalled ? CONFIGURE : INSTALL))
    }
  }
  if (maps.length > 0 && !isRunning) {
    const sentence = `There are ${maps.length} multipath maps and no multipathd: paths that come back are not used again`
    troubles.push(warning(name, sentence, 'Run `systemctl enable --now multipathd`'))
  }
  const well =
    maps.length === 0
      ? 'No disk is seen by more than one path'
      : `All paths of ${listed(maps.map(({ path }) => path))} are joined`
  return orWell(troubles, ok(name, well))
}

const CONFIGURE = 'Run `mpathconf --enable`, or write /etc/multipath.conf, and start multipathd'
const INSTALL = 'Install multipath-tools (device-mapper-multipath), and start multipathd'
