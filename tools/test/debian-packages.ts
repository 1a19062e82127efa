import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'

/** What the hosts of test/lab need. Their kernel is Debian's, too; tools/lab downloads its package and does not install it. */
const COMMANDS_OF_LAB_PACKAGE = {
  iproute2: ['ip'],
  kmod: ['modprobe'],
  'open-iscsi': ['iscsid', 'iscsiadm'],
  'uml-utilities': ['uml_mconsole', 'uml_switch'],
} as const

/** What the tests run as oracles: a command of each Debian package. */
const COMMANDS_OF_PACKAGE: Readonly<Record<string, readonly string[]>> = {
  acl: ['getfacl', 'setfacl'],
  attr: ['getfattr', 'setfattr'],
  'btrfs-progs': ['mkfs.btrfs'],
  e2fsprogs: ['mke2fs', 'debugfs', 'dumpe2fs', 'e2fsck'],
  fdisk: ['sfdisk'],
  fish: ['fish'],
  gdisk: ['sgdisk'],
  'groff-base': ['groff'],
  'libnbd-bin': ['nbdinfo', 'nbdcopy'],
  lvm2: ['pvcreate'],
  'man-db': ['man'],
  'mariadb-client': ['mariadb', 'mariadb-admin'],
  'mariadb-server-core': ['mariadbd', 'mariadb-install-db'],
  mount: ['mount', 'umount', 'losetup'],
  nbdkit: ['nbdkit'],
  openssl: ['openssl'],
  'qemu-system-common': ['qemu-storage-daemon'],
  'qemu-utils': ['qemu-img', 'qemu-nbd', 'qemu-io'],
  'thin-provisioning-tools': ['thin_restore'],
  'util-linux': ['blockdev', 'wipefs'],
  xfsprogs: ['mkfs.xfs', 'xfs_repair', 'xfs_db'],
  zsh: ['zsh'],
  // The lab's kernel runs on no other processor.
  ...(process.arch === 'x64' ? COMMANDS_OF_LAB_PACKAGE : {}),
}

/** The path on which an ordinary user, too, finds the tools that lie in `sbin`. */
export function pathWithSystemFolders(path: string | undefined): string {
  const folders = (path ?? '').split(':').filter((folder) => folder !== '')
  const wanted = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin']
  return [...folders, ...wanted.filter((folder) => !folders.includes(folder))].join(':')
}

/** The packages of which a command is not on `path`, sorted. */
export function missingPackages(path: string): string[] {
  return Object.entries(COMMANDS_OF_PACKAGE)
    .filter(([, commands]) => !commands.every((command) => isOnPath(command, path)))
    .map(([name]) => name)
}

function isOnPath(command: string, path: string): boolean {
  return path.split(':').some((folder) => {
    try {
      accessSync(`${folder}/${command}`, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** True where `apt-get` is how packages come, and this process may use it. */
export function mayInstallPackages(): boolean {
  return process.getuid?.() === 0 && isDebian()
}

function isDebian(): boolean {
  try {
    return /^ID(_LIKE)?=.*\bdebian\b/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}

/** The line that a person types. */
export function installLine(packages: readonly string[]): string {
  return `apt-get update && apt-get install --yes --no-install-recommends ${packages.join(' ')}`
}

/** Installs; true when `apt-get` said that it did. Its output goes to the terminal. */
export function installPackages(packages: readonly string[]): boolean {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status } = spawnSync('/bin/sh', ['-c', installLine(packages)], {
    stdio: 'inherit',
    env: environment,
  })
  return status === 0
}
