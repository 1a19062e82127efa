import assert from 'node:assert/strict'

import { sha256File } from '../support/sha256-file.ts'
import { mountNewFileSystem } from './file-system.ts'
import type { CommandResult, GuestProcess } from './guest-process.ts'
import { writeRandom } from './host-with-volumes.ts'
import { icecoreOnHost, startIcecore } from './icecore-on-host.ts'
import { logInToSan } from './iscsi.ts'
import type { Lab } from './lab.ts'
import type { LabHost } from './lab-host.ts'
import { disksOfLuns, startSharedLuns, type LunOptions, type SharedLuns } from './shared-luns.ts'
import { startHost } from './start-host.ts'
import { makeVolumeGroup, VolumeGroup } from './volume-group.ts'

const SAN_ADDRESS = '10.77.0.3'
const OWNER_ON_SAN = '10.77.0.1'
const MOVER_ON_SAN = '10.77.0.2'
/** Agent and mover talk in a network of their own, which can be cut while the SAN goes on. */
const OWNER_ADDRESS = '10.78.0.1'
const MOVER_ADDRESS = '10.78.0.2'
const NEIGHBOUR = ['ip', 'neighbour'] as const
/** No card of the lab's network has it. */
const NOBODY = '02:00:00:00:00:01'

export type SanSceneOptions = {
  /** Sizes of LUNs that the mover may only read. */
  readonly lunsMiB: readonly number[]
  /** Sizes of LUNs that it may write, for restores. */
  readonly writableLunsMiB?: readonly number[]
  /** By how many ways the mover comes to each LUN; 1 unless said. */
  readonly moverPaths?: number
  /** The repository lies on a disk of the mover's own, of this size; otherwise in the share, where this side sees it. */
  readonly repositoryMiB?: number
}

export type SceneVolumes = {
  readonly poolMiB: number
  /** `/mnt/home` on a thin volume, `/mnt/thick` on a linear one. */
  readonly home: VolumeSize
  readonly thick?: VolumeSize
}

type VolumeSize = { readonly sizeMiB: number; readonly dataMiB: number }

/**
 * Two hosts at one SAN: "owner" has volumes on its LUNs, "mover" reads the same LUNs over iSCSI and has the repository. A
 * third host is the SAN.
 */
export class SanScene {
  readonly lab: Lab
  readonly mover: LabHost
  readonly luns: SharedLuns
  owner: LabHost
  group: VolumeGroup
  /** Paths of the LUNs on the owner, in their order: first those that the mover only reads. */
  ownerDisks: readonly string[] = []
  /** The same disks on the mover, where they have other names. */
  moverDisks: readonly string[] = []
  readonly repository: string
  readonly #serials: readonly string[]

  constructor(parts: {
    lab: Lab
    owner: LabHost
    mover: LabHost
    luns: SharedLuns
    serials: readonly string[]
    repository: string
  }) {
    this.lab = parts.lab
    this.owner = parts.owner
    this.mover = parts.mover
    this.luns = parts.luns
    this.group = new VolumeGroup(parts.owner, 'vg0')
    this.repository = parts.repository
    this.#serials = parts.serials
  }

  async onMover(...words: readonly string[]): Promise<CommandResult> {
    return await icecoreOnHost(this.mover, words, { environment: { ICECORE_REPOSITORY: this.repository } })
  }

  /** A command on the mover that goes on. */
  startOnMover(...words: readonly string[]): GuestProcess {
    return startIcecore(this.mover, words, { ICECORE_REPOSITORY: this.repository })
  }

  async onOwner(...words: readonly string[]): Promise<CommandResult> {
    return await icecoreOnHost(this.owner, words)
  }

  /** The owner's end of the LUNs. */
  async logInOwner(): Promise<void> {
    this.ownerDisks = await logInToSan(this.owner, SAN_ADDRESS, this.#serials)
  }

  /** A power cut of the owner, and its next start, up to the active volumes. */
  async restartOwner(): Promise<void> {
    await this.owner.kill()
    this.owner = await startOwner(this.lab)
    this.group = new VolumeGroup(this.owner, 'vg0')
    await this.logInOwner()
    await this.owner.output(['vgchange', '--quiet', '-ay'])
  }

  /** Loses every packet between agent and mover, both ways, without a word; the SAN goes on. */
  async cutNetwork(): Promise<void> {
    for (const [host, other] of this.#talkers())
      await host.output([...NEIGHBOUR, 'replace', other, 'lladdr', NOBODY, 'dev', 'eth0', 'nud', 'permanent'])
  }

  async mendNetwork(): Promise<void> {
    for (const [host, other] of this.#talkers())
      await host.output([...NEIGHBOUR, 'del', other, 'dev', 'eth0'])
  }

  /** Names of icecore's snapshots on the owner. */
  async snapshots(): Promise<readonly string[]> {
    const rows = await this.group.report('lvs', 'lv_name')
    return rows.map((row) => row['lv_name'] ?? '').filter((name) => name.startsWith('icecore-'))
  }

  /** SHA-256 of the frozen image that the owner holds as a volume's base: the truth that a point is measured by. */
  async frozenSha256(volume: string): Promise<string> {
    const rows = await this.group.report('lvs', 'lv_name', 'origin', 'lv_tags')
    const bases = rows.filter(
      (row) => row['origin'] === volume && (row['lv_tags'] ?? '').includes('icecore_point='),
    )
    assert.equal(bases.length, 1, JSON.stringify(rows))
    const path = `vg0/${bases[0]?.['lv_name'] ?? ''}`
    await this.owner.output(['lvchange', '-ay', '-K', path])
    const line = await this.owner.output(['sha256sum', `/dev/${path}`])
    await this.owner.output(['lvchange', '-an', path])
    return line.split(' ')[0] ?? ''
  }

  /** SHA-256 of what a point restores to, on the mover. */
  async restoredSha256(point: string): Promise<string> {
    const file = `${this.lab.share}/restored`
    const { exitCode, stdout, stderr } = await this.onMover('restore', point, '--to', file, '--overwrite')
    assert.equal(exitCode, 0, stdout + stderr)
    await this.mover.output(['sync'])
    return await sha256File(file)
  }

  /** What a run that is refused or fails must leave as it was: points, and snapshots. */
  async state(): Promise<unknown> {
    const points = await this.onMover('points', '--json')
    return { points: points.stdout, snapshots: await this.snapshots() }
  }

  /** A point of the thin volume is what its base holds. */
  async assertRight(pointId: string | undefined): Promise<void> {
    assert.ok(pointId !== undefined)
    assert.equal(await this.restoredSha256(pointId), await this.frozenSha256('home'))
  }

  async write(file: string, mib: number): Promise<void> {
    await writeRandom(this.owner, file, mib)
  }

  #talkers(): readonly (readonly [LabHost, string])[] {
    return [
      [this.owner, MOVER_ADDRESS],
      [this.mover, OWNER_ADDRESS],
    ]
  }
}

/** Starts three hosts, two of them at the third one's LUNs, and makes a repository. */
export async function openSanScene(lab: Lab, options: SanSceneOptions): Promise<SanScene> {
  const luns = lunsOf(options)
  const [san, owner, mover] = await Promise.all([
    startHost(lab, { name: 'san', address: SAN_ADDRESS, disks: disksOfLuns(lab, luns) }),
    startOwner(lab),
    startMover(lab),
  ])
  const { moverPaths = 1 } = options
  const where = { address: SAN_ADDRESS, owner: owner.name, mover: mover.name, moverPaths }
  const serials = luns.map(({ serial }) => serial)
  const shared = await startSharedLuns(san, where, luns)
  const repository = `${await repositoryFolder(mover, lab, options)}/repository`
  const scene = new SanScene({ lab, owner, mover, luns: shared, serials, repository })
  const [paths] = await Promise.all([logInToSan(mover, SAN_ADDRESS, serials), scene.logInOwner()])
  scene.moverDisks = paths
  const init = await scene.onMover('init', '--no-encryption')
  assert.equal(init.exitCode, 0, init.stderr)
  return scene
}

async function repositoryFolder(
  mover: LabHost,
  lab: Lab,
  { repositoryMiB }: SanSceneOptions,
): Promise<string> {
  if (repositoryMiB === undefined) return lab.share
  const disk = await mover.plugDisk({ image: lab.diskImage('repository', repositoryMiB), mode: 'own' })
  return await mountNewFileSystem(mover, 'ext4', disk.path)
}

function lunsOf({ lunsMiB, writableLunsMiB = [] }: SanSceneOptions): readonly LunOptions[] {
  const read = lunsMiB.map((sizeMiB, index): LunOptions => {
    return { serial: `lun-${index + 1}`, sizeMiB, mover: 'read-only' }
  })
  const written = writableLunsMiB.map((sizeMiB, index): LunOptions => {
    return { serial: `writable-${index + 1}`, sizeMiB, mover: 'read-write' }
  })
  return [...read, ...written]
}

/** Group `vg0` on the disks, with a pool and volumes that are mounted and hold random bytes. */
export async function makeSceneVolumes(
  scene: SanScene,
  disks: readonly string[],
  { poolMiB, home, thick }: SceneVolumes,
): Promise<void> {
  const { owner, group } = scene
  await makeVolumeGroup(owner, 'vg0', disks)
  await group.makeThinPool('pool', { sizeMiB: poolMiB })
  const volumes = [
    { device: await group.makeThinVolume('home', { pool: 'pool', sizeMiB: home.sizeMiB }), size: home },
  ]
  if (thick !== undefined)
    volumes.push({ device: await group.makeVolume('thick', thick.sizeMiB), size: thick })
  for (const { device, size } of volumes)
    await writeRandom(owner, `${await mountNewFileSystem(owner, 'ext4', device)}/data`, size.dataMiB)
}

async function startOwner(lab: Lab): Promise<LabHost> {
  const owner = await startHost(lab, { name: 'owner', address: OWNER_ON_SAN, memoryMiB: 768 })
  await joinNetwork(owner, OWNER_ADDRESS)
  return owner
}

async function startMover(lab: Lab): Promise<LabHost> {
  const mover = await startHost(lab, { name: 'mover', address: MOVER_ON_SAN, memoryMiB: 1024 })
  await joinNetwork(mover, MOVER_ADDRESS)
  // It is to read the owner's disks, never to activate what LVM finds on them.
  await mover.output(['sh', '-c', `echo 'devices { global_filter = ["r|.*|"] }' > /etc/lvm/lvm.conf`])
  return mover
}

/** Its own folders of icecore, not this machine's, and its place in the network of agent and mover. */
async function joinNetwork(host: LabHost, address: string): Promise<void> {
  const folders = '/etc/icecore /var/lib/icecore'
  const mount = `for folder in ${folders}; do mkdir -p $folder; mount -t tmpfs -o mode=755 tmpfs $folder; done`
  await host.output(['sh', '-c', mount])
  await host.output(['ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0'])
  const hosts = `${OWNER_ADDRESS} owner\\n${MOVER_ADDRESS} mover\\n127.0.0.1 localhost\\n`
  await host.output(['sh', '-c', `printf '${hosts}' > /etc/hosts`])
}
