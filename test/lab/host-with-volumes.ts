import { mountNewFileSystem } from './file-system.ts'
import type { Lab } from './lab.ts'
import type { LabHost } from './lab-host.ts'
import { startHost } from './start-host.ts'
import { makeVolumeGroup, type VolumeGroup } from './volume-group.ts'

export type WantedVolumes = {
  readonly memoryMiB?: number
  readonly diskMiB: number
  readonly poolMiB: number
  readonly sizeMiB: number
  /** Volumes in the pool. */
  readonly thin: readonly string[]
  /** Linear volumes beside it. */
  readonly thick?: readonly string[]
  /** Of the file on each; default 4. */
  readonly dataMiB?: number
}

export type HostWithVolumes = {
  readonly host: LabHost
  readonly group: VolumeGroup
  /** A file on each volume, of random bytes, thin ones first. */
  readonly files: readonly string[]
}

/** A host with group `vg0` on one disk: a thin pool, and volumes with file systems, each mounted at `/mnt/` and its name. */
export async function startHostWithVolumes(lab: Lab, wanted: WantedVolumes): Promise<HostWithVolumes> {
  const { memoryMiB = 768, diskMiB, poolMiB, sizeMiB, thin, thick = [], dataMiB = 4 } = wanted
  const disk = { image: lab.diskImage('disk', diskMiB), mode: 'own', serial: 'one' } as const
  const host = await startHost(lab, { name: 'a', memoryMiB, disks: [disk] })
  const group = await makeVolumeGroup(host, 'vg0', ['/dev/sda'])
  await group.makeThinPool('pool', { sizeMiB: poolMiB })
  const devices: string[] = []
  for (const name of thin) devices.push(await group.makeThinVolume(name, { pool: 'pool', sizeMiB }))
  for (const name of thick) devices.push(await group.makeVolume(name, sizeMiB))
  const files: string[] = []
  for (const device of devices) {
    const file = `${await mountNewFileSystem(host, 'ext4', device)}/data`
    await writeRandom(host, file, dataMiB)
    files.push(file)
  }
  return { host, group, files }
}

/** Writes random bytes over the beginning of a file, and makes them durable. */
export async function writeRandom(host: LabHost, file: string, mib: number): Promise<void> {
  const size = ['bs=1M', `count=${mib}`, 'conv=fsync,notrunc', 'status=none']
  await host.output(['dd', 'if=/dev/urandom', `of=${file}`, ...size])
}
