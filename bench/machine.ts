import { spawnSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'

/** Where the figures were measured; they mean little without it. */
export type Machine = {
  readonly cpu: string
  readonly cpuCount: number
  readonly memoryBytes: number
  readonly kernel: string
  readonly loadAverage: number
  /** With their versions. */
  readonly tools: readonly string[]
}

const VERSION_COMMANDS = [
  ['restic', 'version'],
  ['borg', '--version'],
  ['zstd', '--version'],
  ['partclone.ext4', '-v'],
  ['qemu-img', '--version'],
] as const

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown CPU',
    cpuCount: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    loadAverage: loadavg()[0] ?? Number.NaN,
    tools: [`Node ${process.versions.node}`, ...VERSION_COMMANDS.map(versionOf)],
  }
}

function versionOf([program, argument]: readonly [string, string]): string {
  const result = spawnSync(program, [argument], { encoding: 'utf8' })
  if (result.error !== undefined) return `no ${program}`
  const version = /\d+(?:\.\d+)+/.exec(result.stdout + result.stderr)
  return `${program} ${version?.[0] ?? '?'}`
}

/** `restic restore --sparse` came with 0.15. */
export function canResticRestoreSparsely(machine: Machine): boolean {
  const match = /^restic (\d+)\.(\d+)/.exec(machine.tools.find((tool) => tool.startsWith('restic ')) ?? '')
  return match !== null && (Number(match[1]) > 0 || Number(match[2]) >= 15)
}
