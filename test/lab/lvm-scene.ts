import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'

import { startHostWithVolumes, writeRandom } from './host-with-volumes.ts'
import { icecoreOnHost } from './icecore-on-host.ts'
import type { Lab } from './lab.ts'
import type { LabHost } from './lab-host.ts'
import type { VolumeGroup } from './volume-group.ts'

/** A program that runs when the snapshot is there and nothing has been read; a lab host is slow to make one. */
export const HOOKS = ['--freeze-deadline', '300', '--before-freeze', 'true', '--after-thaw']

type Run = { readonly exitCode: number | null; readonly text: string; readonly mode: string | null }

/** A host with volumes, and what is tried on it again and again. */
export class LvmScene {
  readonly lab: Lab
  host: LabHost
  group: VolumeGroup

  constructor(lab: Lab, group: VolumeGroup) {
    this.lab = lab
    this.host = group.host
    this.group = group
  }

  async icecore(...words: readonly string[]): Promise<Run> {
    const environment = { ICECORE_REPOSITORY: `${this.lab.share}/repository` }
    const { exitCode, stdout, stderr } = await icecoreOnHost(this.host, [...words, '--json'], { environment })
    const [, mode = null] = /"mode": ?"([a-z]+)"/.exec(stdout) ?? []
    return { exitCode, mode, text: `${words.join(' ')}: ${exitCode}\n${stdout}${stderr}` }
  }

  /** A run that must end so. */
  async backup(source: string, wanted: { exitCode: number; mode?: string; says?: RegExp }): Promise<void> {
    const run = await this.icecore('backup', source)
    assert.equal(run.exitCode, wanted.exitCode, run.text)
    if (wanted.mode !== undefined) assert.equal(run.mode, wanted.mode, run.text)
    if (wanted.says !== undefined) assert.match(run.text, wanted.says)
  }

  /** The latest point of a volume is what its base holds. */
  async assertRight(volume: string): Promise<void> {
    const rows = await this.group.report('lvs', 'lv_name', 'origin', 'lv_tags', 'lv_time')
    const bases = rows.filter(
      (row) => row['origin'] === volume && (row['lv_tags'] ?? '').includes('icecore_point='),
    )
    assert.equal(bases.length, 1, JSON.stringify(rows))
    const [, id = ''] = /icecore_point=([0-9a-f]+)/.exec(bases[0]?.['lv_tags'] ?? '') ?? []
    const restored = await this.icecore('restore', id, '--to', '/tmp/restored', '--overwrite')
    assert.equal(restored.exitCode, 0, restored.text)
    const path = `vg0/${bases[0]?.['lv_name']}`
    await this.host.output(['lvchange', '-ay', '-K', path])
    await this.host.output(['cmp', `/dev/${path}`, '/tmp/restored'])
    await this.host.output(['lvchange', '-an', path])
  }

  async snapshots(): Promise<readonly string[]> {
    const rows = await this.group.report('lvs', 'lv_name')
    return rows.map((row) => row['lv_name'] ?? '').filter((name) => name.startsWith('icecore-'))
  }

  async write(file: string, mib: number): Promise<void> {
    await writeRandom(this.host, file, mib)
  }
}

/** A pool with two volumes that hold file systems, and a repository. */
export async function openThinScene(lab: Lab): Promise<LvmScene> {
  const wanted = { diskMiB: 256, poolMiB: 96, sizeMiB: 24, thin: ['home', 'mail'], dataMiB: 6 }
  const { group } = await startHostWithVolumes(lab, wanted)
  const scene = new LvmScene(lab, group)
  const init = await scene.icecore('init', '--no-encryption')
  assert.equal(init.exitCode, 0, init.text)
  return scene
}

/** A program on the host that does so. */
export function hookScript(lab: Lab, text: string): string {
  const path = `${lab.share}/hook.sh`
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
  return path
}
