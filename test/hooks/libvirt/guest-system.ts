import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

import { unpackDebianPackage } from '../../../tools/lab/debian-package.ts'
import { runTool } from '../../support/run-tool.ts'
import { programPath } from '../programs.ts'

/** The kernel of a guest, and the root file system that it starts in memory. */
export type GuestSystem = { readonly kernel: string; readonly initrd: string }

/** In the order in which they are loaded. */
const MODULES = [
  'virtio_ring',
  'virtio',
  'virtio_pci_modern_dev',
  'virtio_pci_legacy_dev',
  'virtio_pci',
  'virtio_blk',
  'virtio_console',
] as const
const INITRD_BYTES_MAX = 256 * 1024 * 1024

/** Mounts the disk, starts the agent, and writes: a number in one file and the same as a line in another, again and again. */
const INIT = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
for module in ${MODULES.join(' ')}; do insmod /$module.ko; done
ln -s /proc/self/mounts /etc/mtab
mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do ln -s /dev/\${port##*/} /dev/virtio-ports/$(cat $port/name); done
mount -t ext4 /dev/vda /data
qemu-ga -m virtio-serial -p /dev/virtio-ports/org.qemu.guest_agent.0 -t /run &
number=0
while :; do
  number=$((number + 1))
  echo $number > /data/number.new; mv /data/number.new /data/number
  echo $number >> /data/numbers; sync
  echo "wrote $number"
done
`

/** Makes a system of Debian's kernel and guest agent, which are downloaded and not installed, and of busybox. */
export function makeGuestSystem(folder: string): GuestSystem {
  const dependencies = runTool('apt-cache', ['depends', 'linux-image-cloud-amd64'])
  const [, image] = /Depends: (linux-image-\S+)/.exec(dependencies) ?? []
  if (image === undefined) throw new Error(`Cannot find the kernel's package: found "${dependencies.trim()}"`)
  const kernelPackage = unpackDebianPackage(image, folder)
  const agentPackage = unpackDebianPackage('qemu-guest-agent', folder)
  const root = join(folder, 'root')
  for (const name of ['bin', 'data', 'dev', 'etc', 'proc', 'run', 'sys'])
    mkdirSync(join(root, name), { recursive: true })
  copyFileSync(programPath('busybox'), join(root, 'bin/busybox'))
  const agent = join(agentPackage, 'usr/sbin/qemu-ga')
  copyFileSync(agent, join(root, 'bin/qemu-ga'))
  for (const [library] of runTool('ldd', [agent]).matchAll(/\/\S+\.so\S*/g)) {
    mkdirSync(dirname(join(root, library)), { recursive: true })
    copyFileSync(library, join(root, library))
  }
  for (const name of MODULES) {
    const [file] = globSync(join(kernelPackage, `lib/modules/**/${name}.ko`))
    if (file === undefined) throw new Error(`Cannot find module "${name}" in "${basename(kernelPackage)}"`)
    copyFileSync(file, join(root, `${name}.ko`))
  }
  writeFileSync(join(root, 'init'), INIT)
  chmodSync(join(root, 'init'), 0o755)
  const [kernel] = globSync(join(kernelPackage, 'boot/vmlinuz-*'))
  if (kernel === undefined) throw new Error(`Cannot find a kernel in "${basename(kernelPackage)}"`)
  const initrd = join(folder, 'initrd.gz')
  writeFileSync(initrd, gzipSync(archiveOf(root), { level: 1 }))
  return { kernel, initrd }
}

function archiveOf(root: string): Uint8Array {
  const input = globSync('**', { cwd: root }).join('\n')
  const words = ['cpio', '-o', '-H', 'newc']
  const result = spawnSync('busybox', words, { cwd: root, input, maxBuffer: INITRD_BYTES_MAX })
  if (result.status !== 0) throw new Error(`Cannot make an archive of "${root}": ${String(result.stderr)}`)
  return result.stdout
}
