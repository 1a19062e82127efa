import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { eventually } from '../../support/eventually.ts'
import { runTool } from '../../support/run-tool.ts'
import type { TemporaryFolder } from '../../support/temporary-folder.ts'
import { programPath } from '../programs.ts'
import { makeGuestSystem, type GuestSystem } from './guest-system.ts'

/** Its guests are of no interest to the system's own libvirt, if there is one: `nobody`. */
const USER_ID = 65_534

export type LibvirtGuest = AsyncDisposable & {
  readonly name: string
  /** Where `virsh` finds the libvirt that runs it. */
  readonly uri: string
  /** How many numbers it has written so far. */
  wroteCount(): number
  untilItWrote(count: number): Promise<void>
}

/** Starts a libvirt of an ordinary user, and a guest without acceleration that writes to its disk, an ext4 in `disk`. */
export async function startLibvirtGuest(folder: TemporaryFolder, disk: string): Promise<LibvirtGuest> {
  for (const path of [folder.path, dirname(dirname(disk))]) chmodSync(path, 0o755)
  const home = folder.join('libvirt')
  mkdirSync(home)
  for (const path of [home, disk]) chownSync(path, USER_ID, USER_ID)
  mkdirSync(folder.join('system'))
  const system = makeGuestSystem(folder.join('system'))
  const names = ['XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_DATA_HOME', 'HOME']
  const daemon = spawn(programPath('libvirtd'), [], {
    uid: USER_ID,
    gid: USER_ID,
    env: {
      PATH: process.env['PATH'] ?? '',
      ...Object.fromEntries(names.map((name) => [name, home])),
    },
    stdio: 'ignore',
  })
  const ended = once(daemon, 'exit')
  await using stack = new AsyncDisposableStack()
  stack.defer(async () => {
    daemon.kill('SIGTERM')
    await ended
  })
  const socket = `${home}/libvirt/libvirt-sock`
  await eventually(() => existsSync(socket))
  const uri = `qemu+unix:///session?socket=${socket}`
  const console = folder.join('libvirt', 'console')
  const description = folder.join('guest.xml')
  writeFileSync(description, guestXml({ ...system, disk, console }))
  runTool('virsh', ['--quiet', '-c', uri, 'create', description])
  stack.defer(() => void runTool('virsh', ['--quiet', '-c', uri, 'destroy', 'guest']))
  const said = (): string => (existsSync(console) ? readFileSync(console, 'utf8') : '')
  const wroteCount = (): number => Number([...said().matchAll(/wrote (\d+)/g)].at(-1)?.[1] ?? 0)
  const untilItWrote = (count: number): Promise<void> =>
    eventually(
      () => wroteCount() >= count,
      () => said().slice(-2000),
    )
  // A processor that another one computes takes half a minute to start a kernel.
  await eventually(() => said().includes('Run /init'), said)
  await untilItWrote(10)
  const held = stack.move()
  return { name: 'guest', uri, wroteCount, untilItWrote, [Symbol.asyncDispose]: () => held.disposeAsync() }
}

function guestXml(guest: GuestSystem & { readonly disk: string; readonly console: string }): string {
  return `<domain type='qemu'>
  <name>guest</name>
  <memory unit='MiB'>192</memory>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>${guest.kernel}</kernel>
    <initrd>${guest.initrd}</initrd>
    <cmdline>console=ttyS0</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='${guest.disk}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <serial type='file'><source path='${guest.console}'/><target port='0'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
  </devices>
</domain>
`
}
