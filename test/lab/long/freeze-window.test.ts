import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { startHostWithVolumes } from '../host-with-volumes.ts'
import { openLab } from '../lab.ts'
import { needsLab } from '../needs-lab.ts'
import { startWriteLoad } from '../write-load.ts'

const SCRIPT = fileURLToPath(new URL('../guest/measure-window.ts', import.meta.url))

test(
  'how long groups stand still under a write load, beside what each volume needs alone',
  { skip: needsLab() },
  async (context) => {
    await using lab = openLab()
    const thin = ['thin0', 'thin1', 'thin2', 'thin3']
    const thick = ['thick0', 'thick1', 'thick2', 'thick3']
    const wanted = { diskMiB: 320, poolMiB: 112, sizeMiB: 20, thin, thick }
    const { host, files } = await startHostWithVolumes(lab, wanted)
    const load = await startWriteLoad(host, { paths: files, seed: 9, spanBytes: 2 ** 20 })
    for (const [kind, names] of [
      ['lvm-thin', thin],
      ['lvm', thick],
    ] as const) {
      const result = await host.runNode(SCRIPT, [kind, '5', ...names], { timeoutSeconds: 900 })
      assert.equal(result.exitCode, 0, result.stdout + result.stderr)
      context.diagnostic(`${kind}, ${names.length} volumes: ${result.stdout.trim()}`)
    }
    assert.ok((await load.stop()) > 0)
  },
)
