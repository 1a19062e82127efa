import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { checkoutFolder } from '../../tools/tidy/checkout.ts'
import { withDeadline } from './deadline.ts'
import { GuestLine } from './guest-line.ts'
import type { Lab } from './lab.ts'
import { diskWord, type LabDisk } from './lab-disk.ts'
import { LabHost } from './lab-host.ts'
import { lastLines } from './lab-logs.ts'
import { startUml } from './uml-process.ts'

/** Usually 3 to 5 s. */
const BOOT_TIMEOUT_MS = 120_000
const BOOT_SCRIPT = fileURLToPath(new URL('guest/boot.sh', import.meta.url))
const MEMORY_MIB = 512

export type HostOptions = {
  /** The guest's host name: lower-case letters, digits and hyphens. */
  readonly name: string
  /** Default 512. */
  readonly memoryMiB?: number
  readonly disks?: readonly LabDisk[]
}

let startCount = 0

/**
 * Boots a virtual machine; resolves when it takes commands. It sees this machine's files, may change none of them but
 * those in the lab's share, and forgets what it changed elsewhere.
 */
export async function startHost(lab: Lab, options: HostOptions): Promise<LabHost> {
  const { name, memoryMiB = MEMORY_MIB, disks = [] } = options
  startCount += 1
  const umid = `${name}-${startCount}`
  const logPath = join(lab.logFolder, `${umid}.log`)
  mkdirSync(requestFolder(lab, umid))
  const uml = startUml(lab, {
    words: kernelWords(lab, { ...options, memoryMiB, disks, umid }),
    memoryMiB,
    logPath,
  })
  const line = new GuestLine(uml, requestFolder(lab, umid))
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

function kernelWords(
  lab: Lab,
  options: Required<HostOptions> & { readonly umid: string },
): readonly string[] {
  const { umid, memoryMiB, disks } = options
  const boot = join(lab.folder, `${umid}.boot.sh`)
  const settings = join(lab.folder, `${umid}.settings`)
  copyFileSync(BOOT_SCRIPT, boot)
  chmodSync(boot, 0o755)
  writeFileSync(settings, settingsText(lab, options))
  return [
    `mem=${memoryMiB}M`,
    ...'root=/dev/root rootfstype=hostfs rootflags=/ ro quiet loglevel=5'.split(' '),
    // The first console prints into the log; the first serial line is the runner's; there are no others.
    ...'con0=fd:0,fd:1 con=null ssl0=fd:3,fd:4 ssl=null'.split(' '),
    `init=${boot}`,
    `lab_settings=${settings}`,
    `uml_dir=${lab.folder}`,
    `umid=${umid}`,
    // Without a disk on its command line the kernel believes in a first one, which is not there.
    ...(disks.length === 0 ? ['ubd0r=/dev/null'] : disks.map(diskWord)),
  ]
}

function requestFolder(lab: Lab, umid: string): string {
  return join(lab.folder, `${umid}.requests`)
}

function settingsText(lab: Lab, { name, umid }: { readonly name: string; readonly umid: string }): string {
  const settings = {
    LAB_NAME: name,
    LAB_REQUESTS: requestFolder(lab, umid),
    LAB_CHECKOUT: checkoutFolder,
    LAB_NODE: dirname(process.execPath),
    LAB_MODULES: lab.kernel.modulesPath,
    LAB_SHARE: lab.share,
  }
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${quoted(value)}\n`)
    .join('')
}

/** For the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
