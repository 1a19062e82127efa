import type { LvmSight } from '../../linux/doctor/lvm-sight.ts'
import { type Finding, listed, ok, orWell, unknown, warning, wrong } from './finding.ts'
import { type DiskPair, readDisks, type TriedDisk } from './seen-disk.ts'

/** LVM of the mover need not know the agent's disks, and must not activate what is on them. */
export function checkLvmSight(sight: LvmSight, pairs: readonly DiskPair[]): readonly Finding[] {
  const name = 'lvm-stays-away'
  const disks = readDisks(pairs).map(({ disk }) => disk)
  const active = disks.flatMap((disk) => disk.activeGroups.map((group) => activeHere(name, disk, group)))
  if (active.length > 0) return active
  if (sight.kind === 'none') return [ok(name, 'There is no LVM on this host that could use these disks')]
  if (sight.kind === 'silent') {
    const sentence = `What LVM of this host looks at cannot be told: ${sight.reason}`
    return [unknown(name, sentence, 'Run `pvs` as root: it should not list the disks of the agent')]
  }
  const troubles = disks.flatMap((disk): Finding[] => {
    const groups = sight.groups.get(disk.kernelName) ?? []
    if (groups.length === 0) return []
    const sentence = `LVM of this host sees group ${listed(groups.map((group) => `"${group}"`))} on ${disk.path}, and may activate it when the host starts`
    return [warning(name, sentence, adviceFor(disk, sight.usesDevicesFile))]
  })
  return orWell(
    troubles,
    ok(name, 'LVM of this host does not look at these disks, or finds no group on them'),
  )
}

function activeHere(name: string, disk: TriedDisk, group: string): Finding {
  return wrong(name, {
    sentence: `Group "${group}" on ${disk.path} is active on this host too: two hosts that change one group destroy it`,
    advice: `Run \`vgchange --activate n ${group}\` here, and keep LVM from the disk: ${adviceFor(disk, false)}`,
    stops: 'nothing',
  })
}

function adviceFor({ path, identity }: TriedDisk, usesDevicesFile: boolean): string {
  if (usesDevicesFile) return `Run \`lvmdevices --deldev ${path}\` here`
  const match = /^wwn:naa\.([0-9a-f]+)$/.exec(identity.name ?? '')
  const device = match === null ? path : `/dev/disk/by-id/wwn-0x${match[1]}`
  return `Put global_filter = [ "r|^${device}$|" ] into the section devices of /etc/lvm/lvm.conf`
}
