import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { eventually } from '../../support/eventually.ts'
import { mixedBytes } from '../../support/mixed-bytes.ts'
import { sha256File } from '../../support/sha256-file.ts'
import type { GuestProcess } from '../guest-process.ts'
import { openLab } from '../lab.ts'
import { needsLab } from '../needs-lab.ts'
import { openRestoreScene } from '../restore-scene.ts'

const MIB = 1024 * 1024
const SIZE_MIB = 96
const TARGET = '/dev/vg0/target'

test(
  'a volume that is moved while it is restored is right, and so is what takes its place; an agent that dies leaves it free',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const scene = await openRestoreScene(lab, { disksMiB: [128, 128] })
    const { owner, group, diskNames } = scene
    const [first = '', second = ''] = owner.disks.map(({ path }) => path)
    const size = ['--quiet', '--yes', '--wipesignatures', 'n', '--size', `${SIZE_MIB}m`]
    await owner.output(['lvcreate', ...size, '--name', 'target', 'vg0', first])
    const image = `${lab.share}/image`
    writeFileSync(image, mixedBytes('image', SIZE_MIB * MIB))
    chmodSync(image, 0o644)
    const expected = await sha256File(image)
    const made = await scene.run('backup', image)
    assert.equal(made.exitCode, 0, made.stderr)
    const disks = diskNames.flatMap((name) => ['--san-disk', name])
    const start = async (): Promise<GuestProcess> => {
      const words = [
        'latest',
        '--agent',
        '10.77.0.1',
        '--to',
        TARGET,
        '--yes',
        '--transport',
        'san',
        ...disks,
      ]
      const restore = scene.start('restore', ...words, '--json', '--progress', 'json', '--lanes', '1')
      const said = (): string => restore.soFar('stdout') + restore.soFar('stderr')
      await eventually(() => said().includes('"event":"bytes"'), said)
      return restore
    }

    await scene.scribble(TARGET)
    const moved = await start()
    await owner.output(['pvmove', '--quiet', '--interval', '1', first, second])
    // Whoever still writes where the volume was, writes over this one.
    await owner.output(['lvcreate', ...size, '--name', 'victim', 'vg0', first])
    await scene.scribble('/dev/vg0/victim')
    const victim = await scene.sha256('/dev/vg0/victim', SIZE_MIB * MIB)
    const ended = await moved.ended
    context.diagnostic(
      ended.stderr
        .split('\n')
        .filter((line) => line.includes('notice'))
        .join('\n'),
    )
    assert.equal(ended.exitCode, 0, ended.stdout + ended.stderr)
    context.diagnostic(ended.stdout)
    assert.match(ended.stdout, /"movedCount": ?[1-9]/)
    assert.equal(await scene.sha256(TARGET, SIZE_MIB * MIB), expected)
    await owner.output(['sh', '-c', 'echo 3 > /proc/sys/vm/drop_caches'])
    assert.equal(await scene.sha256('/dev/vg0/victim', SIZE_MIB * MIB), victim)
    await group.remove('victim')

    await scene.scribble(TARGET)
    const orphan = await start()
    scene.agent().signal('SIGKILL')
    const failed = await orphan.ended
    assert.equal(failed.exitCode, 7, failed.stdout + failed.stderr)
    assert.match(failed.stdout, /is not complete/)
    await scene.startAgent()
    const again = await (await start()).ended
    assert.equal(again.exitCode, 0, again.stdout + again.stderr)
    assert.equal(await scene.sha256(TARGET, SIZE_MIB * MIB), expected)
  },
)
