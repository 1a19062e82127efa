import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { bootWords } from './boot-words.ts'
import { withDeadline } from './deadline.ts'
import { GuestLine } from './guest-line.ts'
import type { Lab } from './lab.ts'
import type { LabDisk } from './lab-disk.ts'
import { LabHost } from './lab-host.ts'
import { lastLines } from './lab-logs.ts'
import { startUml } from './uml-process.ts'

/** Usually 3 to 5 s. */
const BOOT_TIMEOUT_MS = 120_000
const MEMORY_MIB = 512

export type HostOptions = {
  /** The guest's host name: lower-case letters, digits and hyphens. */
  readonly name: string
  /** Default 512. */
  readonly memoryMiB?: number
  readonly disks?: readonly LabDisk[]
  /** Its address on the lab's network: `10.77.0.1`; the hosts of one network have the first three numbers in common. */
  readonly address?: string
  /** Makes this process's terminal the host's `/dev/tty1`. */
  readonly terminal?: boolean
}

let startCount = 0

/**
 * Boots a virtual machine; resolves when it takes commands. It sees this machine's files, may change none of them but
 * those in the lab's share, and forgets what it changed elsewhere.
 */
export async function startHost(lab: Lab, options: HostOptions): Promise<LabHost> {
  const { name, memoryMiB = MEMORY_MIB, disks = [], terminal = false } = options
  startCount += 1
  const umid = `${name}-${startCount}`
  const logPath = join(lab.logFolder, `${umid}.log`)
  const requestFolder = join(lab.folder, `${umid}.requests`)
  mkdirSync(requestFolder)
  const words = await bootWords(lab, { ...options, umid, memoryMiB, disks, terminal, requestFolder })
  const uml = startUml(lab, { words, memoryMiB, logPath, terminal })
  const line = new GuestLine(uml, requestFolder)
  const firstDisk = disks.length === 0 ? 1 : 0
  const host = new LabHost({ name, folder: lab.folder, umid, logPath, uml, line, firstDisk })
  lab.defer(async () => await host.kill())
  try {
    const late = (): string =>
      `Cannot boot "${name}": not up after ${BOOT_TIMEOUT_MS} ms\n${lastLines(logPath)}`
    await withDeadline(line.ready, BOOT_TIMEOUT_MS, late)
    for (const disk of disks) await host.addDisk(disk)
    return host
  } catch (error) {
    await host.kill()
    throw error
  }
}
