import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { loopDevice } from '../support/loop-device.ts'
import { mixedBytes } from '../support/mixed-bytes.ts'
import { needsLoopDevices } from '../support/requirements.ts'
import { runIcecore, type IcecoreResult } from '../support/run-icecore.ts'
import { runTool } from '../support/run-tool.ts'
import { startAgent } from '../support/running-agent.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const MIB = 1024 * 1024
const SIZE_BYTES = 9 * MIB + 700

test(
  'restore --agent has the agent write a volume that its configuration allows, and no other',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    const image = folder.join('image')
    const bytes = mixedBytes('image', SIZE_BYTES)
    bytes.fill(0, 3 * MIB, 6 * MIB)
    writeFileSync(image, bytes)
    const disks = ['target', 'other', 'small'].map((name) => folder.join(name))
    for (const disk of disks) writeFileSync(disk, mixedBytes(disk, 12 * MIB))
    truncateSync(folder.join('small'), 8 * MIB)
    using target = loopDevice(folder.join('target'))
    using other = loopDevice(folder.join('other'))
    using small = loopDevice(folder.join('small'))
    const sources = [target.path, small.path].map((path) => ({ path, restore: true }))
    await using agent = await startAgent(folder.join('agent'), [...sources, other.path])
    const repository = folder.join('repository')
    const plain = { environment: { HOME: '/nonexistent' } }
    for (const words of [
      ['init', repository, '--no-encryption'],
      ['backup', image, '-r', repository],
    ]) {
      const made = await runIcecore(words, plain)
      assert.equal(made.exitCode, 0, made.stderr)
    }
    const restore = async (to: string, ...more: readonly string[]): Promise<IcecoreResult> => {
      const words = ['restore', 'latest', '-r', repository, '--json', ...agent.words, '--to', to, ...more]
      return await runIcecore(words, { environment: agent.environment })
    }
    const refused = async (to: string, more: readonly string[], exitCode: number): Promise<string> => {
      const result = await restore(to, ...more)
      assert.equal(result.exitCode, exitCode, result.stderr)
      return JSON.stringify(result.json)
    }

    assert.match(await refused(target.path, [], 2), /TARGET_NOT_CONFIRMED/)
    assert.match(await refused(other.path, ['--yes'], 7), /AGENT_REFUSED/)
    assert.match(await refused(small.path, ['--yes'], 4), /TARGET_TOO_SMALL/)
    assert.match(await refused(target.path, ['--yes', '--transport', 'san'], 4), /knows no disks/)
    mkdirSync(folder.join('mounted'))
    runTool('mke2fs', ['-q', '-F', small.path])
    runTool('mount', [small.path, folder.join('mounted')])
    assert.match(await refused(small.path, ['--yes'], 4), /TARGET_IN_USE/)
    runTool('umount', [folder.join('mounted')])
    for (const path of [target.path, other.path]) {
      const before = path === target.path ? 'target' : 'other'
      assert.equal(Buffer.compare(readFileSync(path), mixedBytes(folder.join(before), 12 * MIB)), 0)
    }

    const asked = await restore(target.path, '--yes', '--transport', 'lan')
    assert.equal(asked.exitCode, 0, asked.stderr)
    const expected = mixedBytes(folder.join('target'), 12 * MIB)
    expected.set(bytes)
    assert.equal(Buffer.compare(readFileSync(target.path), expected), 0)
    writeFileSync(target.path, mixedBytes('spoilt', 65_536), { flag: 'r+' })
    const fallen = await restore(target.path, '--yes', '--differing')
    assert.equal(fallen.exitCode, 3, fallen.stderr)
    assert.match(JSON.stringify(fallen.json), /TRANSPORT_FALLBACK.*|"writtenBytes":65536/)
    assert.equal(Buffer.compare(readFileSync(target.path), expected), 0)
  },
)
