import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

// A disk as a SCSI disk with an identity, through the kernel's SCSI target and its loopback fabric, as the kernel's
// Documentation/target describes them: everything is made by files in configfs.
const TARGET = '/sys/kernel/config/target'
const FABRIC = `${TARGET}/loopback/naa.5001405000000001/tpgt_1`
const APPEAR_TIMEOUT_MS = 60_000

let diskCount = 0

/** Returns the path of the new disk, `/dev/sda`. */
export async function addScsiDisk(disk: {
  readonly device: string
  readonly serial: string
  readonly readOnly: boolean
}): Promise<string> {
  if (!existsSync(FABRIC)) openFabric()
  const unit = diskCount
  diskCount += 1
  const backing = `${TARGET}/core/iblock_${unit}/disk`
  mkdirSync(backing, { recursive: true })
  writeFileSync(`${backing}/control`, `udev_path=${disk.device}${disk.readOnly ? ',readonly=1' : ''}`)
  writeFileSync(`${backing}/enable`, '1')
  writeFileSync(`${backing}/wwn/vpd_unit_serial`, disk.serial)
  mkdirSync(`${FABRIC}/lun/lun_${unit}`)
  symlinkSync(backing, `${FABRIC}/lun/lun_${unit}/disk`)
  return await pathOfUnit(unit)
}

function openFabric(): void {
  execFileSync('modprobe', ['--all', 'sd_mod', 'sg', 'target_core_iblock', 'tcm_loop'])
  if (!existsSync(TARGET)) execFileSync('mount', ['-t', 'configfs', 'configfs', '/sys/kernel/config'])
  mkdirSync(FABRIC, { recursive: true })
  writeFileSync(`${FABRIC}/nexus`, 'naa.5001405000000002')
}

async function pathOfUnit(unit: number): Promise<string> {
  const deadline = performance.now() + APPEAR_TIMEOUT_MS
  while (performance.now() < deadline) {
    const name = readdirSync('/sys/block').find((block) => {
      const device = `/sys/block/${block}/device`
      return block.startsWith('sd') && existsSync(device) && isUnit(realpathSync(device), unit)
    })
    if (name !== undefined && existsSync(`/dev/${name}`)) return `/dev/${name}`
    await setTimeout(20)
  }
  throw new Error(`Cannot find SCSI disk: unit ${unit} did not appear within ${APPEAR_TIMEOUT_MS / 1000} s`)
}

function isUnit(device: string, unit: number): boolean {
  return device.includes('/tcm_loop_adapter_') && device.endsWith(`:${unit}`)
}
