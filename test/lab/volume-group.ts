import type { LabHost } from './lab-host.ts'

export type Row = Readonly<Record<string, string>>

export type ThinPoolOptions = {
  readonly sizeMiB: number
  /** Default 8. */
  readonly metadataMiB?: number
  /** Default 64. */
  readonly chunkKiB?: number
}

/** A volume group on a host's disks. Volumes are named without their group. */
export class VolumeGroup {
  readonly name: string
  readonly host: LabHost

  constructor(host: LabHost, name: string) {
    this.host = host
    this.name = name
  }

  /** The device of a volume that is active. */
  path(volume: string): string {
    return `/dev/${this.name}/${volume}`
  }

  async makeVolume(volume: string, sizeMiB: number): Promise<string> {
    await this.#create('--size', `${sizeMiB}m`, '--wipesignatures', 'n', '--name', volume, this.name)
    return this.path(volume)
  }

  async makeThinPool(pool: string, options: ThinPoolOptions): Promise<void> {
    const { sizeMiB, metadataMiB = 8, chunkKiB = 64 } = options
    const sizes = [
      '--size',
      `${sizeMiB}m`,
      '--poolmetadatasize',
      `${metadataMiB}m`,
      '--chunksize',
      `${chunkKiB}k`,
    ]
    await this.#create('--type', 'thin-pool', ...sizes, '--name', pool, this.name)
  }

  async makeThinVolume(
    volume: string,
    where: { readonly pool: string; readonly sizeMiB: number },
  ): Promise<string> {
    const size = ['--virtualsize', `${where.sizeMiB}m`, '--thinpool', where.pool]
    await this.#create(...size, '--wipesignatures', 'n', '--name', volume, this.name)
    return this.path(volume)
  }

  /** An active snapshot: of a thin volume in its pool, or, with a size, a classic one. */
  async makeSnapshot(
    snapshot: string,
    of: { readonly volume: string; readonly sizeMiB?: number },
  ): Promise<string> {
    const size = of.sizeMiB === undefined ? [] : ['--size', `${of.sizeMiB}m`]
    await this.#create('--snapshot', ...size, '--name', snapshot, `${this.name}/${of.volume}`)
    if (of.sizeMiB === undefined)
      await this.host.output([
        'lvchange',
        '--activate',
        'y',
        '--ignoreactivationskip',
        `${this.name}/${snapshot}`,
      ])
    return this.path(snapshot)
  }

  async remove(volume: string): Promise<void> {
    await this.host.output(['lvremove', '--quiet', '--yes', `${this.name}/${volume}`])
  }

  /** Tells the pool's device what `dmsetup message` can tell it: `reserve_metadata_snap`. */
  async tellPool(pool: string, message: string): Promise<void> {
    await this.host.output(['dmsetup', 'message', this.deviceMapperName(pool, '-tpool'), '0', message])
  }

  /** The device-mapper name of a volume, or of a part of it (`_tmeta`). */
  deviceMapperName(volume: string, part = ''): string {
    return `${this.name.replaceAll('-', '--')}-${volume.replaceAll('-', '--')}${part}`
  }

  /** The rows of a report on this group, numbers in bytes. */
  async report(command: 'lvs' | 'vgs' | 'pvs', ...fields: readonly string[]): Promise<readonly Row[]> {
    const form = ['--units', 'b', '--nosuffix', '--reportformat', 'json', '--options', fields.join(',')]
    const which = command === 'lvs' ? ['--all', this.name] : command === 'vgs' ? [this.name] : []
    const selection = command === 'pvs' ? ['--select', `vg_name=${this.name}`] : []
    const json = await this.host.output([command, ...form, ...selection, ...which])
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the shape of `--reportformat json`
    const { report } = JSON.parse(json) as { report: Record<string, Row[]>[] }
    return report.flatMap((part) => Object.values(part).flat())
  }

  async #create(...words: readonly string[]): Promise<void> {
    await this.host.output(['lvcreate', '--quiet', '--yes', ...words])
  }
}

/** Makes a volume group of whole disks, whatever is on them. */
export async function makeVolumeGroup(
  host: LabHost,
  name: string,
  disks: readonly string[],
): Promise<VolumeGroup> {
  await host.output(['vgcreate', '--quiet', '--yes', '--force', name, ...disks])
  return new VolumeGroup(host, name)
}
