// Runs in a guest: makes disks of it reachable over iSCSI, by files in configfs. See ../iscsi.ts.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'

import type { IscsiTarget } from '../iscsi.ts'

const TARGET = '/sys/kernel/config/target'

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- ../iscsi.ts wrote it
const targets = JSON.parse(process.argv[2] ?? '') as readonly IscsiTarget[]
let backingCount = 0

execFileSync('modprobe', ['--all', 'target_core_iblock', 'iscsi_target_mod'])
if (!existsSync(TARGET)) execFileSync('mount', ['-t', 'configfs', 'configfs', '/sys/kernel/config'])
for (const target of targets) open(target)

function open({ name, addresses, units, initiators }: IscsiTarget): void {
  const group = `${TARGET}/iscsi/${name}/tpgt_1`
  mkdirSync(group, { recursive: true })
  for (const address of addresses) mkdirSync(`${group}/np/${address}`)
  for (const [index, unit] of units.entries()) {
    const backing = makeBacking(unit)
    mkdirSync(`${group}/lun/lun_${index}`)
    symlinkSync(backing, `${group}/lun/lun_${index}/disk`)
  }
  for (const [attribute, value] of [
    ['authentication', 0],
    ['generate_node_acls', 0],
    ['demo_mode_discovery', 0],
    ['prod_mode_write_protect', 0],
  ] as const)
    writeFileSync(`${group}/attrib/${attribute}`, `${value}`)
  for (const initiator of initiators) {
    const access = `${group}/acls/${initiator.name}`
    mkdirSync(access)
    for (const index of units.keys()) {
      mkdirSync(`${access}/lun_${index}`)
      symlinkSync(`${group}/lun/lun_${index}`, `${access}/lun_${index}/unit`)
      writeFileSync(`${access}/lun_${index}/write_protect`, initiator.readOnly ? '1' : '0')
    }
  }
  writeFileSync(`${group}/enable`, '1')
}

function makeBacking({ device, serial }: IscsiTarget['units'][number]): string {
  const backing = `${TARGET}/core/iblock_${100 + backingCount}/disk`
  backingCount += 1
  mkdirSync(backing, { recursive: true })
  writeFileSync(`${backing}/control`, `udev_path=${device}`)
  writeFileSync(`${backing}/enable`, '1')
  writeFileSync(`${backing}/wwn/vpd_unit_serial`, serial)
  return backing
}
