import { realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isBackupError, ErrorCode } from '../../domain/backup-error.ts'
import { readReport } from '../lvm/lvm-report.ts'
import { diskFolderOf } from '../sysfs.ts'
import { askTool } from './ask-tool.ts'

/** What LVM of this host looks at. */
export type LvmSight =
  | { readonly kind: 'none' }
  | { readonly kind: 'silent'; readonly reason: string }
  | {
      readonly kind: 'known'
      /** Only what stands in the devices file is looked at. */
      readonly usesDevicesFile: boolean
      /** The volume groups that LVM finds on each disk or in its partitions, by the kernel's name of the disk. */
      readonly groups: ReadonlyMap<string, readonly string[]>
    }

/** The devices that LVM of this host looks at, after its devices file and its filters. */
export async function lvmSight(signal: AbortSignal): Promise<LvmSight> {
  try {
    const rows = await readReport({ command: 'pvs', fields: ['pv_name', 'vg_name'] }, signal)
    const words = ['lvmconfig', '--typeconfig', 'full', 'devices/use_devicesfile']
    const config = await askTool('lvm', words, signal)
    const groups = new Map<string, readonly string[]>()
    for (const row of rows) {
      const group = row['vg_name'] ?? ''
      if (group === '') continue
      const disk = await diskOf(row['pv_name'] ?? '')
      groups.set(disk, [...(groups.get(disk) ?? []), group])
    }
    const usesDevicesFile = config.kind === 'answer' && config.text.includes('use_devicesfile=1')
    return { kind: 'known', usesDevicesFile, groups }
  } catch (error) {
    if (isBackupError(error, ErrorCode.ProgramMissing)) return { kind: 'none' }
    if (!isBackupError(error)) throw error
    return { kind: 'silent', reason: error.message }
  }
}

/** The kernel's name of the disk that a device, or its partition, is. */
async function diskOf(path: string): Promise<string> {
  try {
    const folder = await realpath(join('/sys/class/block', basename(await realpath(path))))
    return basename((await diskFolderOf(folder)).disk)
  } catch {
    return basename(path) // Missing, or not shown by this system: then none of our disks is it.
  }
}
