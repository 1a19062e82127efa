import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { seededRandomness } from '../support/seeded-randomness.ts'
import { mountNewFileSystem } from './file-system.ts'
import type { Kill } from './guest/kill-icecore.ts'
import { icecoreOnHost } from './icecore-on-host.ts'
import { openLab } from './lab.ts'
import type { LabHost } from './lab-host.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'
import { makeVolumeGroup, type VolumeGroup } from './volume-group.ts'
import { startWriteLoad } from './write-load.ts'

const SCRIPT = fileURLToPath(new URL('guest/kill-icecore.ts', import.meta.url))
const VOLUME_MIB = 16
const WATCHDOG_TIMEOUT_MS = 60_000
/** Of three kills one waits for a suspended volume. */
const KINDS: readonly (readonly string[])[] = [['a', 'b'], ['a'], ['c'], ['a', 'b', 'c'], ['c', 'd']]

type Said = { readonly exitCode: number | null; readonly stdout: string; readonly text: string }

/** Tests that `icecore backup`, killed at `killCount` moments, leaves nothing behind that the next command does not mend. */
export function testKills(killCount: number): void {
  test(
    `a SIGKILL at ${killCount} moments leaves nothing suspended and no snapshot`,
    { skip: needsLab() },
    async (context) => {
      const seed = 1 + (process.pid % 100_000)
      context.diagnostic(`seed ${seed}`)
      const chance = seededRandomness(seed)
      await using lab = openLab()
      const disk = { image: lab.diskImage('disk', 280), mode: 'own', serial: 'one' } as const
      await using host = await startHost(lab, { name: 'a', memoryMiB: 1024, disks: [disk] })
      const group = await makeVolumeGroup(host, 'vg0', ['/dev/sda'])
      await group.makeThinPool('pool', { sizeMiB: 128 })
      const devices = [
        await group.makeThinVolume('a', { pool: 'pool', sizeMiB: VOLUME_MIB }),
        await group.makeThinVolume('b', { pool: 'pool', sizeMiB: VOLUME_MIB }),
        await group.makeVolume('c', VOLUME_MIB),
        await group.makeVolume('d', VOLUME_MIB),
      ]
      const files: string[] = []
      for (const device of devices) {
        const folder = await mountNewFileSystem(host, 'ext4', device)
        await host.output([
          'dd',
          'if=/dev/urandom',
          `of=${folder}/data`,
          'bs=1M',
          'count=4',
          'conv=fsync',
          'status=none',
        ])
        files.push(`${folder}/data`)
      }
      const environment = { ICECORE_REPOSITORY: `${lab.share}/repository` }
      const icecore = async (...words: readonly string[]): Promise<Said> => {
        const { exitCode, stdout, stderr } = await icecoreOnHost(host, words, { environment })
        return { exitCode, stdout, text: `${words.join(' ')}: ${exitCode}\n${stdout}${stderr}` }
      }
      const must = async (...words: readonly string[]): Promise<void> => {
        const { exitCode, text } = await icecore(...words)
        assert.equal(exitCode, 0, text)
      }
      await must('init', '--no-encryption')
      const load = await startWriteLoad(host, { paths: files, seed, spanBytes: 1024 * 1024 })
      const startedAt = performance.now()
      await must('backup', ...(KINDS[0] ?? []).map((name) => `/mnt/${name}`))
      const durationMs = performance.now() - startedAt

      let [killed, inWindow] = [0, 0]
      for (let round = 0; round < killCount; round += 1) {
        const names = KINDS[round % KINDS.length] ?? []
        const words = ['backup', ...names.map((name) => `/mnt/${name}`)]
        const afterMs = round % 3 === 0 ? null : chance.below(Math.ceil(durationMs))
        const suspendable = names.map((name) => group.deviceMapperName(name))
        const kill: Kill = { words, afterMs, devices: suspendable }
        const result = await host.runNode(SCRIPT, [JSON.stringify(kill)], { environment })
        const where = `round ${round}, ${JSON.stringify(kill)}: ${result.stdout}${result.stderr}`
        assert.equal(result.exitCode, 0, where)
        if (result.stdout.includes('killed')) killed += 1
        if (result.stdout.includes('killed') && afterMs === null) inWindow += 1
        await assertNothingStandsStill(host, where)
        const listed = await icecore('images', 'list')
        assert.equal(listed.exitCode, 0, `${where}${listed.text}`)
        const bases = await assertOnlyBases(group, `${where}${listed.text}`)
        assert.ok(bases.length <= 5, `${where}${JSON.stringify(bases)}`)
        // The next run finds its base, or says that it does not.
        const next = await icecore(...words)
        const isDegraded = next.exitCode === 3 && /BASE_IMAGE_LOST|MOMENTS_DIFFER/.test(next.text)
        assert.ok(next.exitCode === 0 || isDegraded, `${where}${next.text}`)
        await assertNothingStandsStill(host, where)
        await assertLatestIsRight(group, { names, icecore }, `${where}${next.text}`)
      }
      context.diagnostic(`${killed} of ${killCount} were killed, ${inWindow} while a volume was suspended`)
      assert.ok((await load.stop()) > 0)
      await must('check', '--data')
    },
  )
}

/** The watchdog needs a moment. */
async function assertNothingStandsStill(host: LabHost, where: string): Promise<void> {
  const deadline = performance.now() + WATCHDOG_TIMEOUT_MS
  for (;;) {
    const states = await host.output(['dmsetup', 'info', '-c', '--noheadings', '-o', 'name,suspended'])
    const suspended = states.split('\n').filter((line) => line.includes(':Suspended'))
    if (suspended.length === 0) break
    assert.ok(performance.now() < deadline, `${where}\nstill suspended: ${suspended.join(' ')}`)
    await setTimeout(200)
  }
  const written = await host.run(
    [
      'sh',
      '-c',
      'for f in /mnt/a /mnt/b /mnt/c /mnt/d; do echo x > $f/probe && sync $f/probe || exit 1; done',
    ],
    { timeoutSeconds: 60 },
  )
  assert.equal(written.exitCode, 0, `${where}\ncannot write: ${written.stderr}`)
}

/** Snapshots that are there for a run are gone; the names of those that are held for points. */
async function assertOnlyBases(group: VolumeGroup, where: string): Promise<readonly string[]> {
  const rows = await group.report('lvs', 'lv_name', 'lv_tags')
  const snapshots = rows.filter((row) => row['lv_name']?.startsWith('icecore-') ?? false)
  for (const row of snapshots) {
    assert.match(row['lv_tags'] ?? '', /icecore_point=/, `${where}\nleft behind: ${JSON.stringify(row)}`)
  }
  return snapshots.map((row) => row['lv_name'] ?? '')
}

/** What a point says of a thin volume is what its base holds. */
async function assertLatestIsRight(
  group: VolumeGroup,
  run: {
    readonly names: readonly string[]
    readonly icecore: (...words: readonly string[]) => Promise<Said>
  },
  where: string,
): Promise<void> {
  const { host } = group
  const { names, icecore } = run
  const rows = await group.report('lvs', 'lv_name', 'lv_tags', 'origin', 'lv_time')
  const thin = names.filter((name) => name === 'a' || name === 'b')
  if (thin.length === 0) return
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `points --json` prints
  const points = JSON.parse((await icecore('points', '--json')).stdout) as { id: string }[]
  const id = points.at(-1)?.id ?? ''
  for (const name of thin) {
    const base = rows.find(
      (row) => row['origin'] === name && (row['lv_tags'] ?? '').includes(`icecore_point=${id}`),
    )
    assert.ok(base, `${where}\nno base of ${name} for ${id}: ${JSON.stringify(rows)}`)
    const restored = await icecore('restore', id, '--object', name, '--to', '/tmp/restored')
    assert.equal(restored.exitCode, 0, `${where}${restored.text}`)
    const volume = `vg0/${base['lv_name']}`
    await host.output(['lvchange', '-ay', '-K', volume])
    const same = await host.run(['cmp', `/dev/${volume}`, '/tmp/restored'])
    await host.output(['lvchange', '-an', volume])
    assert.equal(same.exitCode, 0, `${where}\n${name} differs: ${same.stdout}${same.stderr}`)
    await host.output(['rm', '/tmp/restored'])
  }
}
