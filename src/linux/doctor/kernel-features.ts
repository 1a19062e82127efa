import { readFile } from 'node:fs/promises'
import { release } from 'node:os'
import { readSysfs } from '../sysfs.ts'
import { askTool } from './ask-tool.ts'

/** Of one feature: there, could be loaded, not there; null when nothing tells. */
export type Feature = 'present' | 'loadable' | 'absent' | null

export type KernelFacts = {
  readonly release: string
  readonly deviceMapper: Feature
  readonly thin: Feature
  readonly snapshot: Feature
  readonly cloningFileSystems: readonly string[]
}

const CLONING = ['xfs', 'btrfs', 'bcachefs']

/** What the kernel has: what is in it now, and what its modules could add. */
export async function kernelFacts(signal: AbortSignal): Promise<KernelFacts> {
  const modules = await moduleNames()
  const deviceMapper = stateOf(
    (await readSysfs('/proc/misc'))?.includes('device-mapper') === true,
    'dm_mod',
    modules,
  )
  const targets = deviceMapper === 'present' ? await askTool('dmsetup', ['targets'], signal) : null
  const target = (name: string, module: string): Feature => {
    if (deviceMapper === 'absent') return 'absent'
    const isThere = targets?.kind === 'answer' && new RegExp(`^${name}\\s`, 'm').test(targets.text)
    const state = stateOf(isThere, module, modules)
    // Where the list of targets is not to be had, that it is not in the list says nothing.
    return state === 'absent' && targets?.kind !== 'answer' ? null : state
  }
  const known = (await readSysfs('/proc/filesystems')) ?? ''
  return {
    release: release(),
    deviceMapper,
    thin: target('thin-pool', 'dm_thin_pool'),
    snapshot: target('snapshot', 'dm_snapshot'),
    cloningFileSystems: CLONING.filter(
      (name) => new RegExp(`\\b${name}$`, 'm').test(known) || modules?.has(name) === true,
    ),
  }
}

function stateOf(isThere: boolean, module: string, modules: ReadonlySet<string> | null): Feature {
  if (isThere) return 'present'
  return modules?.has(module) === true ? 'loadable' : 'absent'
}

/** The modules of the running kernel that are installed; null where there is no list of them. */
async function moduleNames(): Promise<ReadonlySet<string> | null> {
  const names = new Set<string>()
  for (const list of ['modules.dep', 'modules.builtin']) {
    const text = await textOf(`/lib/modules/${release()}/${list}`)
    for (const line of text?.split('\n') ?? []) {
      const name = /([^/:]+)\.ko(?:\.\w+)?(?::|$)/.exec(line)?.[1]
      if (name !== undefined) names.add(name.replaceAll('-', '_'))
    }
  }
  return names.size === 0 ? null : names
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return null
  }
}
