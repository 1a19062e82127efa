import assert from 'node:assert/strict'
import { writeFileSync, chmodSync } from 'node:fs'
import { test } from 'node:test'

import { mixedBytes } from '../support/mixed-bytes.ts'
import { sha256File } from '../support/sha256-file.ts'
import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import { openRestoreScene } from './restore-scene.ts'

const MIB = 1024 * 1024
const AGENT = ['--agent', '10.77.0.1'] as const
const TARGET = '/dev/vg0/target'

test(
  'a mover restores onto a volume of another host, on the storage or by its agent, and its owner sees every byte',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const scene = await openRestoreScene(lab, { disksMiB: [96] })
    const { owner, group, diskNames } = scene
    await group.makeVolume('target', 32)
    await group.makeVolume('other', 16)
    // Its end is no whole block of the disk.
    const sizeBytes = 20 * MIB + 512 + 100
    const image = `${lab.share}/image`
    const bytes = mixedBytes('image', sizeBytes)
    bytes.fill(0, 8 * MIB, 12 * MIB)
    writeFileSync(image, bytes)
    chmodSync(image, 0o644)
    const expected = await sha256File(image)
    const made = await scene.run('backup', image)
    assert.equal(made.exitCode, 0, made.stderr)
    const restore = async (exitCode: number, ...words: readonly string[]): Promise<string> => {
      const done = await scene.run('restore', 'latest', ...AGENT, '--to', TARGET, ...words)
      const said = done.stdout + done.stderr
      context.diagnostic(said)
      assert.equal(done.exitCode, exitCode, said)
      return said
    }
    const san = ['--transport', 'san', '--san-disk', diskNames[0] ?? '']
    const other = await scene.sha256('/dev/vg0/other', 16 * MIB)

    await scene.scribble(TARGET)
    const tail = `tail --bytes=+${sizeBytes + 1} ${TARGET} | sha256sum`
    const tailBefore = await owner.output(['sh', '-c', tail])
    assert.match(await restore(2, ...san), /TARGET_NOT_CONFIRMED|required is a confirmation/)
    assert.match(await restore(2, '--yes', '--transport', 'san'), /named by --san-disk/)
    await restore(0, '--yes', ...san)
    assert.equal(await scene.sha256(TARGET, sizeBytes), expected)
    assert.equal(await owner.output(['sh', '-c', tail]), tailBefore)

    await scene.scribble(TARGET)
    assert.match(await restore(3, '--yes'), /TRANSPORT_FALLBACK/)
    assert.equal(await scene.sha256(TARGET, sizeBytes), expected)

    const others = ['restore', 'latest', ...AGENT, '--yes', ...san, '--to']
    assert.equal((await scene.run(...others, '/dev/vg0/other')).exitCode, 7)
    await group.makeSnapshot('snap', { volume: 'target', sizeMiB: 8 })
    assert.match(await restore(4, '--yes', ...san), /its owner knows no disks/)
    assert.equal(await scene.sha256('/dev/vg0/other', 16 * MIB), other)
  },
)
