import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { targetSerial, wwidOf } from './lab-disk.ts'
import type { LabHost } from './lab-host.ts'

const TARGET_SCRIPT = fileURLToPath(new URL('guest/iscsi-target.ts', import.meta.url))
const TARGET_NAME = 'iqn.2026-01.lab:san'
const PORT = 3260
const APPEAR_TIMEOUT_MS = 120_000

/** What `guest/iscsi-target.ts` is told. */
export type IscsiTarget = {
  readonly name: string
  /** `10.77.0.3:3260`; with several, initiators have as many paths. */
  readonly addresses: readonly string[]
  readonly units: readonly { readonly device: string; readonly serial: string }[]
  readonly initiators: readonly { readonly name: string; readonly readOnly: boolean }[]
}

export type SanOptions = {
  /** The host's own address on the lab's network. */
  readonly address: string
  /** Disks of the host without a serial number of their own, and the ones by which initiators are to know them. */
  readonly units: readonly { readonly device: string; readonly serial: string }[]
  /** The names of the hosts that may log in, and whether they may write. */
  readonly initiators: Readonly<Record<string, 'read-write' | 'read-only'>>
  /** By how many ways initiators come to each disk; 1 unless said. */
  readonly paths?: number
  /** What tells its targets apart where a host has several; each is seen by its own initiators only. */
  readonly door?: string
}

/** Makes a host a SAN: other hosts reach its disks over iSCSI. */
export async function startSan(host: LabHost, options: SanOptions): Promise<void> {
  await startSans(host, [options])
}

/** As `startSan`, with several targets on the host. */
export async function startSans(host: LabHost, sans: readonly SanOptions[]): Promise<void> {
  const targets = sans.map(targetOf)
  const { exitCode, stderr } = await host.runNode(TARGET_SCRIPT, [JSON.stringify(targets)])
  if (exitCode !== 0) throw new Error(`Cannot make ${host.name} a SAN: ${stderr}`)
}

function targetOf({ address, units, initiators, door, paths = 1 }: SanOptions): IscsiTarget {
  return {
    name: door === undefined ? TARGET_NAME : `${TARGET_NAME}-${door}`,
    addresses: Array.from({ length: paths }, (_, index) => `${address}:${PORT + index}`),
    units: units.map(({ device, serial }) => ({ device, serial: targetSerial(serial) })),
    initiators: Object.entries(initiators).map(([name, access]) => {
      return { name: initiatorName(name), readOnly: access === 'read-only' }
    }),
  }
}

/**
 * Logs a host in to a SAN; resolves with the paths of the disks with these serial numbers, in their order. Their
 * identities are those that `wwidOf()` gives.
 */
export async function logInToSan(
  host: LabHost,
  address: string,
  serials: readonly string[],
): Promise<readonly string[]> {
  await host.output(['sh', '-c', PREPARE, 'prepare', initiatorName(host.name)])
  await host.output(['iscsid'])
  await host.output(['iscsiadm', '--mode', 'discovery', '--type', 'sendtargets', '--portal', address])
  await host.output(['iscsiadm', '--mode', 'node', '--login'])
  return await pathsOf(host, serials.map(wwidOf))
}

function initiatorName(host: string): string {
  return `iqn.2026-01.lab:host-${host}`
}

/** The settings of this machine's own initiator are not the guest's, and may be readable for root alone. */
const PREPARE = `
set -e
modprobe --all sd_mod iscsi_tcp
for folder in /etc/iscsi /var/lib/iscsi /run/lock/iscsi; do mkdir -p $folder; mount -t tmpfs tmpfs $folder; done
echo "InitiatorName=$1" > /etc/iscsi/initiatorname.iscsi
cat > /etc/iscsi/iscsid.conf <<END
iscsid.startup = /usr/sbin/iscsid
node.startup = manual
node.session.timeo.replacement_timeout = 20
node.conn[0].timeo.noop_out_interval = 0
node.conn[0].timeo.noop_out_timeout = 0
node.session.scan = auto
END
`

async function pathsOf(host: LabHost, wwids: readonly string[]): Promise<readonly string[]> {
  const deadline = performance.now() + APPEAR_TIMEOUT_MS
  for (;;) {
    const lines = await host.run(['sh', '-c', 'grep -H . /sys/block/sd*/device/wwid'])
    const names = wwids.map((wwid) => lines.stdout.split('\n').find((line) => line.endsWith(`:${wwid}`)))
    const paths = names.flatMap((line) => /\/sys\/block\/(sd[a-z]+)\//.exec(line ?? '')?.[1] ?? [])
    if (paths.length === wwids.length) return paths.map((name) => `/dev/${name}`)
    if (performance.now() > deadline)
      throw new Error(`Cannot find the disks of the SAN on ${host.name}: it has\n${lines.stdout}`)
    await setTimeout(200)
  }
}
