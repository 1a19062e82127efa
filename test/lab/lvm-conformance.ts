import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import { startHost } from './start-host.ts'
import { makeVolumeGroup } from './volume-group.ts'

const SCRIPT = fileURLToPath(new URL('guest/lvm-conformance.ts', import.meta.url))
const THIN_MIB = 8
/** Beside each there is room for a store of its size. */
const THICK_MIB = 24

/** What the script in the guest is told. */
export type LvmConformanceOptions = {
  readonly provider: 'lvm-thin' | 'lvm'
  readonly group: string
  /** Those that are frozen. */
  readonly volumes: readonly string[]
  readonly others: readonly string[]
  readonly unsuitable: string
  readonly roundCount: number
}

/** Tests that a provider passes the conformance suite: on two disks, on volumes that begin on one and go on on the other. */
export function testLvmConformance(
  provider: LvmConformanceOptions['provider'],
  how: { readonly roundCount: number; readonly thinCount: number; readonly timeoutSeconds: number },
): void {
  const { roundCount, thinCount, timeoutSeconds } = how
  test(
    `${provider} passes the conformance suite: ${roundCount} rounds`,
    { skip: needsLab() },
    async (context) => {
      await using lab = openLab()
      const disks = ['one', 'two'].map((serial) => {
        return { image: lab.diskImage(serial, 160), mode: 'own', serial } as const
      })
      await using host = await startHost(lab, { name: 'a', memoryMiB: 768, disks })
      const group = await makeVolumeGroup(host, 'vg0', ['/dev/sda', '/dev/sdb'])
      const thin = Array.from({ length: thinCount }, (_, at) => `thin${at}`)
      const thick = ['thick0', 'thick1']
      await group.makeVolume('thick0', THICK_MIB)
      // More than what is left of the first disk.
      await group.makeThinPool('pool', { sizeMiB: 128 })
      for (const name of thin) await group.makeThinVolume(name, { pool: 'pool', sizeMiB: THIN_MIB })
      await group.makeVolume('thick1', THICK_MIB)
      const [volumes, others] = provider === 'lvm-thin' ? [thin, thick] : [thick, thin]
      const options: LvmConformanceOptions = {
        provider,
        group: group.name,
        volumes,
        others: ['pool', ...others],
        unsuitable: others[0] ?? '',
        roundCount,
      }
      const result = await host.runNode(SCRIPT, [JSON.stringify(options)], { timeoutSeconds })
      for (const line of result.stdout.split('\n')) if (/^[✔✖ℹ]/u.test(line)) context.diagnostic(line)
      assert.equal(result.exitCode, 0, `${result.stdout}${result.stderr}`)
    },
  )
}
