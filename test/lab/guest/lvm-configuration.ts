import { writeFileSync } from 'node:fs'

/** Disks that are seen through another one: to LVM they would be the same disk twice. */
const hidden: string[] = []

export function hideFromLvm(device: string): void {
  hidden.push(device)
  configureLvm()
}

/** There is no udev in a guest, no daemon of LVM, and the host's list of devices is not the guest's. */
export function configureLvm(): void {
  const filter = [...hidden.map((device) => `"r|^${device}$|"`), '"a|.*|"'].join(', ')
  const lines = [
    `devices { use_devicesfile = 0 hints = "none" global_filter = [${filter}] scan = ["/dev"]`,
    '  external_device_info_source = "none" obtain_device_list_from_udev = 0 issue_discards = 0 }',
    'activation { monitoring = 0 udev_sync = 0 udev_rules = 0 verify_udev_operations = 0',
    '  thin_pool_autoextend_threshold = 100 snapshot_autoextend_threshold = 100 }',
    'global { use_lvmpolld = 0 use_lvmlockd = 0 event_activation = 0 thin_check_options = ["-q"] }',
    'backup { backup = 0 archive = 0 }',
  ]
  writeFileSync('/etc/lvm/lvm.conf', `${lines.join('\n')}\n`)
}
