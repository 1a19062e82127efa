import { chmodSync, copyFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { compiledCodeFolder } from '../../tools/test/compiled-code.ts'
import { checkoutFolder } from '../../tools/tidy/checkout.ts'
import type { Lab } from './lab.ts'
import { diskWord, type LabDisk } from './lab-disk.ts'
import { networkWord } from './network.ts'

const BOOT_SCRIPT = fileURLToPath(new URL('guest/boot.sh', import.meta.url))

export type BootOptions = {
  readonly name: string
  /** The name by which the kernel is managed. */
  readonly umid: string
  readonly memoryMiB: number
  readonly disks: readonly LabDisk[]
  readonly requestFolder: string
  readonly address?: string
  readonly terminal: boolean
}

/** The kernel's command line; what its first process needs is laid beside it in the lab's folder. */
export async function bootWords(lab: Lab, options: BootOptions): Promise<readonly string[]> {
  const { umid, memoryMiB, disks, address, terminal } = options
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
    ...(terminal ? ['con1=fd:5,fd:6'] : []),
    `init=${boot}`,
    `lab_settings=${settings}`,
    `uml_dir=${lab.folder}`,
    `umid=${umid}`,
    // Without a disk on its command line the kernel believes in a first one, which is not there.
    ...(disks.length === 0 ? ['ubd0r=/dev/null'] : disks.map(diskWord)),
    ...(address === undefined ? [] : [networkWord((await lab.network()).socket, address)]),
  ]
}

function settingsText(lab: Lab, options: BootOptions): string {
  const settings = {
    LAB_NAME: options.name,
    LAB_ADDRESS: options.address ?? '',
    LAB_REQUESTS: options.requestFolder,
    LAB_CHECKOUT: checkoutFolder,
    LAB_NODE: dirname(process.execPath),
    LAB_MODULES: lab.kernel.modulesPath,
    LAB_SHARE: lab.share,
    LAB_COMPILED: compiledCodeFolder(),
  }
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${quoted(value)}\n`)
    .join('')
}

/** For the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
