import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { loopDevice, type LoopDevice } from './loop-device.ts'
import { needsLoopDevices, type SkipReason } from './requirements.ts'
import { runTool } from './run-tool.ts'
import type { TemporaryFolder } from './temporary-folder.ts'

export type LvmDevices = Disposable & {
  /** The files under the devices, in their order. */
  readonly images: readonly string[]
  readonly devices: readonly string[]
  /** Runs a tool of LVM that sees these devices and no others, and has no device-mapper: nothing is activated. */
  lvm(command: string, ...words: readonly string[]): string
  /** The rows that `lvs`, `pvs` or `vgs` print, numbers in bytes. */
  report(
    command: 'lvs' | 'pvs' | 'vgs',
    ...words: readonly string[]
  ): readonly Readonly<Record<string, string>>[]
}

export function needsLvm(): SkipReason {
  return needsLoopDevices()
}

/** Loop devices for LVM, each an image file of so many bytes; none is a physical volume yet. */
export function lvmDevices(
  folder: TemporaryFolder,
  options: { readonly sizesBytes: readonly number[]; readonly sectorSizeBytes?: number },
): LvmDevices {
  using stack = new DisposableStack()
  const images = options.sizesBytes.map((sizeBytes, index) => {
    const path = folder.join(`pv${index}.img`)
    writeFileSync(path, '')
    truncateSync(path, sizeBytes)
    return path
  })
  const { sectorSizeBytes = 512 } = options
  const loops = images.map((image): LoopDevice => stack.use(loopDevice(image, { sectorSizeBytes })))
  const devices = loops.map((loop) => loop.path)
  const environment = writeConfiguration(folder, devices)
  const lvm = (command: string, ...words: readonly string[]): string =>
    runTool(command, words, { environment })
  const owned = stack.move()
  return {
    images,
    devices,
    lvm,
    report: (command, ...words) =>
      reportRows(lvm(command, '--all', '--units=b', '--nosuffix', '--reportformat=json', ...words)),
    [Symbol.dispose]: () => owned.dispose(),
  }
}

function writeConfiguration(
  folder: TemporaryFolder,
  devices: readonly string[],
): Readonly<Record<string, string>> {
  const system = folder.join('lvm-system')
  mkdirSync(system)
  const filter = [...devices.map((device) => `"a|^${device}$|"`), '"r|.*|"'].join(', ')
  const lines = [
    `devices { use_devicesfile = 0 hints = "none" filter = [${filter}] global_filter = [${filter}] }`,
    `global { activation = 0 locking_dir = "${folder.join('lvm-lock')}" use_lvmpolld = 0 use_lvmlockd = 0 }`,
    'activation { monitoring = 0 udev_sync = 0 udev_rules = 0 }',
    'backup { backup = 0 archive = 0 }',
  ]
  writeFileSync(`${system}/lvm.conf`, `${lines.join('\n')}\n`)
  return { LVM_SYSTEM_DIR: system, LVM_SUPPRESS_FD_WARNINGS: '1' }
}

function reportRows(json: string): readonly Readonly<Record<string, string>>[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the shape of `--reportformat=json`
  const { report } = JSON.parse(json) as { report: Record<string, Record<string, string>[]>[] }
  return report.flatMap((part) => Object.values(part).flat())
}

/** What `pvck --dump` says of an image file, a line an item. */
export function dumpPhysicalVolume(
  image: string,
  what: string,
  ...words: readonly string[]
): readonly string[] {
  const environment = { LVM_SUPPRESS_FD_WARNINGS: '1', LVM_SYSTEM_DIR: dirname(image) }
  return runTool('pvck', ['--dump', what, ...words, image], { environment })
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}
