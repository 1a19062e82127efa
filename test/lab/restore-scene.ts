import { execFileSync } from 'node:child_process'
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'

import { eventually } from '../support/eventually.ts'
import { testAgentFolder, testAuthority } from '../support/authority.ts'
import type { CommandResult, GuestProcess } from './guest-process.ts'
import { icecoreOnHost, startIcecore } from './icecore-on-host.ts'
import type { Lab } from './lab.ts'
import type { LabHost } from './lab-host.ts'
import { startHost } from './start-host.ts'
import { makeVolumeGroup, type VolumeGroup } from './volume-group.ts'

const OWNER = '10.77.0.1'

export type RestoreSceneOptions = {
  /** Sizes of the disks of group `vg0`. */
  readonly disksMiB: readonly number[]
  /** Sizes of disks that no group lies on. */
  readonly plainDisksMiB?: readonly number[]
}

/** A disk of no group, which restores may write, as may they its partitions. */
export type PlainDisk = {
  /** On the owner. */
  readonly path: string
  /** As `--san-disk` takes it. */
  readonly name: string
}

/** Two hosts that both write the same disks: an owner with group `vg0` and an agent, and a mover with a repository. */
export type RestoreScene = {
  readonly owner: LabHost
  readonly mover: LabHost
  readonly group: VolumeGroup
  /** Of the group's disks, as `--san-disk` takes them. */
  readonly diskNames: readonly string[]
  readonly plainDisks: readonly PlainDisk[]
  readonly agent: () => GuestProcess
  startAgent(): Promise<void>
  /** The command line on the mover. */
  run(...words: readonly string[]): Promise<CommandResult>
  start(...words: readonly string[]): GuestProcess
  /** SHA-256 of the beginning of a volume, as the owner's page cache shows it. */
  sha256(path: string, bytes: number): Promise<string>
  /** Puts random bytes all over a volume, and leaves them in the owner's page cache. */
  scribble(path: string): Promise<void>
}

export async function openRestoreScene(
  lab: Lab,
  { disksMiB, plainDisksMiB = [] }: RestoreSceneOptions,
): Promise<RestoreScene> {
  const disks = [...disksMiB, ...plainDisksMiB].map((sizeMiB, index) => {
    const serial = `lun-${index + 1}`
    return { image: lab.diskImage(serial, sizeMiB), mode: 'shared-writer', serial } as const
  })
  const [owner, mover] = await Promise.all([
    startHost(lab, { name: 'owner', address: OWNER, memoryMiB: 768, disks }),
    startHost(lab, { name: 'mover', address: '10.77.0.2', memoryMiB: 1024, disks }),
  ])
  await mover.output(['sh', '-c', `echo 'devices { global_filter = ["r|.*|"] }' > /etc/lvm/lvm.conf`])
  const named = owner.disks.map(({ path, wwid = '' }): PlainDisk => ({ path, name: `wwn:${wwid}` }))
  const [ofGroup, plainDisks] = [named.slice(0, disksMiB.length), named.slice(disksMiB.length)]
  const group = await makeVolumeGroup(
    owner,
    'vg0',
    ofGroup.map(({ path }) => path),
  )
  const targets = ['/dev/vg0/target*', ...plainDisks.map(({ path }) => `${path}*`)]
  await certify(lab, { owner, mover, targets })
  let agent: GuestProcess | null = null
  const environment = { ICECORE_REPOSITORY: `${lab.share}/repository` }
  const scene: RestoreScene = {
    owner,
    mover,
    group,
    diskNames: ofGroup.map(({ name }) => name),
    plainDisks,
    agent: () => agent ?? assert.fail('the agent does not run'),
    async startAgent() {
      const started = startIcecore(owner, ['agent', 'run'])
      agent = started
      const said = (): string => `${started.soFar('stdout')}${started.soFar('stderr')}`
      await eventually(() => said().includes('Listening on'), said)
    },
    run: (...words) => icecoreOnHost(mover, words, { environment }),
    start: (...words) => startIcecore(mover, words, environment),
    async sha256(path, bytes) {
      const words = ['sh', '-c', `head --bytes=${bytes} ${path} | sha256sum`]
      return (await owner.output(words)).split(' ')[0] ?? ''
    },
    async scribble(path) {
      const words = [
        'sh',
        '-c',
        `cat /dev/urandom | dd of=${path} bs=1M iflag=fullblock status=none; sync; cat ${path} | sha256sum`,
      ]
      await owner.run(words)
    },
  }
  await scene.startAgent()
  const init = await scene.run('init', '--no-encryption')
  assert.equal(init.exitCode, 0, init.stderr)
  return scene
}

/** Both hosts get what an enrolment would have given them. */
async function certify(
  lab: Lab,
  { owner, mover, targets }: { owner: LabHost; mover: LabHost; targets: readonly string[] },
): Promise<void> {
  const authority = await testAuthority(`${lab.share}/authority`)
  await testAgentFolder(authority, { name: OWNER, folder: `${lab.share}/agent` })
  const restorable = targets.map((path) => `  - path: ${path}\n    restore: true\n`).join('')
  const configuration = `sources:\n  - /dev/vg0/*\n${restorable}`
  writeFileSync(`${lab.share}/agent/agent.yaml`, configuration)
  // Guests run as another user than the test.
  execFileSync('chmod', ['-R', 'a+rwX', `${lab.share}/agent`, `${lab.share}/authority`])
  for (const [host, folder] of [
    [owner, 'agent'],
    [mover, 'authority'],
  ] as const) {
    const steps = [
      'mkdir -p /etc/icecore',
      `cp -r ${lab.share}/${folder} /etc/icecore/`,
      'chown -R 0:0 /etc/icecore',
      'chmod -R go= /etc/icecore',
    ]
    await host.output(['sh', '-c', steps.join(' && ')])
  }
}
