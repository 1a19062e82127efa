import assert from 'node:assert/strict'

import type { LabHost } from './lab-host.ts'

/**
 * A multipath map of the kernel over all paths of a host to one disk, as multipathd makes it: it reads by all of them in turn, and
 * by those that are left when some fail.
 */
export class MultipathMap {
  readonly path: string
  readonly paths: readonly string[]
  readonly #host: LabHost

  private constructor(host: LabHost, path: string, paths: readonly string[]) {
    this.#host = host
    this.path = path
    this.paths = paths
  }

  static async make(host: LabHost, wwid: string): Promise<MultipathMap> {
    const paths = await pathsOf(host, wwid)
    assert.ok(paths.length > 1, paths.join(' '))
    await host.output(['modprobe', '--all', 'dm-multipath', 'dm-round-robin'])
    const sectors = (await host.output(['blockdev', '--getsz', paths[0] ?? ''])).trim()
    const numbers = await host.output(['sh', '-c', `cat ${paths.map(deviceFile).join(' ')}`])
    // No features, no hardware handler, one group of paths, each with as many reads as it takes before the next one's turn.
    const group = numbers
      .trim()
      .split('\n')
      .map((number) => `${number} 8`)
    const table = `0 ${sectors} multipath 0 0 1 1 round-robin 0 ${paths.length} 1 ${group.join(' ')}`
    // What multipathd calls it: the kind of the name, and the name without its first word. It, too, makes a map that is
    // only read where the disks are.
    const uuid = `mpath-3${wwid.replace('naa.', '')}`
    await host.output(['dmsetup', 'create', 'shared', '--readonly', '--uuid', uuid, '--table', table])
    const number = await host.output([
      'dmsetup',
      'info',
      '--columns',
      '--noheadings',
      '-o',
      'blkdevname',
      'shared',
    ])
    return new MultipathMap(host, `/dev/${number.trim()}`, paths)
  }

  /** The host loses one of the paths, and all that is under way on it. */
  async losePath(path: string): Promise<void> {
    await this.#host.output(['sh', '-c', `echo offline > ${stateFile(path)}`])
  }

  /** It comes back, and the map is told, which is multipathd's work. */
  async bringBack(path: string): Promise<void> {
    await this.#host.output(['sh', '-c', `echo running > ${stateFile(path)}`])
    const number = (await this.#host.output(['cat', deviceFile(path)])).trim()
    await this.#host.output(['dmsetup', 'message', 'shared', '0', `reinstate_path ${number}`])
  }

  /** How many of its paths the kernel calls active. */
  async activeCount(): Promise<number> {
    const status = await this.#host.output(['dmsetup', 'status', 'shared'])
    return [...status.matchAll(/ \d+:\d+ A /g)].length
  }
}

/** All disks of the host with this identity. */
export async function pathsOf(host: LabHost, wwid: string): Promise<readonly string[]> {
  const lines = await host.output(['sh', '-c', 'grep -H . /sys/block/sd*/device/wwid'])
  return lines
    .split('\n')
    .filter((line) => line.endsWith(`:${wwid}`))
    .flatMap((line) => /\/sys\/block\/(sd[a-z]+)\//.exec(line)?.[1] ?? [])
    .map((name) => `/dev/${name}`)
}

function deviceFile(path: string): string {
  return `/sys/block/${path.slice('/dev/'.length)}/dev`
}

function stateFile(path: string): string {
  return `/sys/block/${path.slice('/dev/'.length)}/device/state`
}
