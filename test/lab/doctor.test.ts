import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { CommandResult } from './guest-process.ts'
import { enrolAgent } from './lab-agent.ts'
import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import { makeSceneVolumes, openSanScene } from './san-scene.ts'

type Line = { readonly name: string; readonly verdict: string; readonly sentence: string }

function lineOf({ stdout, stderr }: CommandResult, name: string): Line {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the program wrote it
  const lines = JSON.parse(stdout) as readonly Line[]
  return lines.find((line) => line.name === name) ?? assert.fail(`no ${name} in ${stdout}${stderr}`)
}

function requireOk(result: CommandResult, names: readonly string[]): void {
  const bad = names.map((name) => lineOf(result, name)).filter(({ verdict }) => verdict !== 'ok')
  assert.deepEqual(bad, [])
}

test(
  'doctor finds two hosts at a SAN well, and what LVM of the mover should not see',
  { skip: needsLab() },
  async () => {
    await using lab = openLab()
    const scene = await openSanScene(lab, { lunsMiB: [160] })
    await makeSceneVolumes(scene, scene.ownerDisks, { poolMiB: 112, home: { sizeMiB: 32, dataMiB: 4 } })
    await enrolAgent(scene)

    const owner = await scene.onOwner('agent', 'doctor', '--json')
    requireOk(owner, [
      'key-files',
      'agent-certificate',
      'revocation-list',
      'audit-log',
      'device-mapper',
      'lvm-tools',
    ])
    assert.match(
      owner.stdout,
      /\\"\/dev\/vg0\/home\\" is frozen by lvm-thin .*, on wwn:\S+ \(iscsi, sectors of 512 bytes\)/,
    )

    const mover = await scene.onMover('doctor', '--agent', 'owner', '--json')
    requireOk(mover, [
      'authority',
      'enrolment',
      'agent-certificate',
      'agent-answer',
      'version',
      'clock',
      'repository',
    ])
    requireOk(mover, [
      'disks-single',
      'disks-alike',
      'disks-readable',
      'disks-unused',
      'lvm-stays-away',
      'disks-write-protected',
    ])
    assert.match(lineOf(mover, 'disks-seen').sentence, /^Seen here: 1 of 1 disks/)

    await scene.mover.output(['rm', '/etc/lvm/lvm.conf'])
    const seen = lineOf(await scene.onMover('doctor', '--agent', 'owner', '--json'), 'lvm-stays-away')
    assert.equal(seen.verdict, 'warning')
    assert.match(seen.sentence, /sees group "vg0"/)
  },
)
