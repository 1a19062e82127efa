import { readSysfs } from '../sysfs.ts'

export type Privileges = {
  readonly userId: number | null
  /** The effective set; null when it cannot be read. */
  readonly capabilities: bigint | null
}

/** Who this process is to the kernel (proc_pid_status(5)). */
export async function ownPrivileges(): Promise<Privileges> {
  const status = (await readSysfs('/proc/self/status')) ?? ''
  const set = /^CapEff:\s*([0-9a-f]{1,32})$/m.exec(status)?.[1]
  return {
    userId: process.geteuid?.() ?? null,
    capabilities: set === undefined ? null : BigInt(`0x${set}`),
  }
}
