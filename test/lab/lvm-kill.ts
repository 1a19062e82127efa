import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'

import { startHostWithVolumes } from './host-with-volumes.ts'
import { openLab } from './lab.ts'
import { needsLab } from './needs-lab.ts'
import type { WriteLoadOptions } from './write-load.ts'

const SCRIPT = fileURLToPath(new URL('guest/kill-rounds.ts', import.meta.url))
const WANTED = {
  memoryMiB: 1024,
  diskMiB: 160,
  poolMiB: 64,
  sizeMiB: 12,
  thin: ['a', 'b'],
  thick: ['c', 'd'],
  dataMiB: 2,
} as const
const KINDS = [['a', 'b'], ['a'], ['c'], ['a', 'b', 'c'], ['c', 'd']] as const
/** Of each file: so much changes between two runs. */
const SPAN_BYTES = 256 * 1024
/** After 16 writes: the guest has one processor, and what is tested needs most of it. */
const LOAD_PAUSE_MS = 20
const TIMEOUT_SECONDS = 7200

/** What the script in the guest is told. */
export type KillRounds = {
  readonly killCount: number
  readonly seed: number
  /** What is backed up in turn, by the names of volumes. */
  readonly kinds: readonly (readonly string[])[]
  readonly thin: readonly string[]
  readonly load: WriteLoadOptions
}

const tallySchema = v.object({
  killed: v.number(),
  whileSuspended: v.number(),
  /** Images that `icecore images list` released. */
  released: v.number(),
  // What the rounds took: until the kill, to list, the next run with all that is looked at, and of that to restore and compare.
  killMs: v.number(),
  listMs: v.number(),
  nextMs: v.number(),
  lookMs: v.number(),
})
export type KillTally = v.InferOutput<typeof tallySchema>

/** Tests that `icecore backup`, killed at `killCount` moments, leaves nothing behind that the next command does not mend. */
export function testKills(killCount: number): void {
  test(
    `a SIGKILL at ${killCount} moments leaves nothing suspended and no snapshot`,
    { skip: needsLab() },
    async (context) => {
      const seed = 1 + (process.pid % 100_000)
      context.diagnostic(`seed ${seed}`)
      await using lab = openLab()
      const { host, files } = await startHostWithVolumes(lab, WANTED)
      const load = { paths: files, seed, spanBytes: SPAN_BYTES, pauseMs: LOAD_PAUSE_MS }
      const rounds: KillRounds = { killCount, seed, kinds: KINDS, thin: WANTED.thin, load }
      // In the guest's memory: what a killed process wrote is there all the same, and there is no slower disk than the share.
      const environment = { ICECORE_REPOSITORY: '/tmp/repository' }
      const options = { environment, timeoutSeconds: TIMEOUT_SECONDS }
      const { exitCode, stdout, stderr } = await host.runNode(SCRIPT, [JSON.stringify(rounds)], options)
      assert.equal(exitCode, 0, `${stdout}${stderr}`)
      const tally = v.parse(tallySchema, JSON.parse(stdout.trim().split('\n').at(-1) ?? ''))
      const { killed, whileSuspended, released, killMs, listMs, nextMs, lookMs } = tally
      context.diagnostic(
        `${killed} were killed, ${whileSuspended} while a volume was suspended; ${released} snapshots were released`,
      )
      context.diagnostic(
        `ms: until the kill ${killMs}, list ${listMs}, next run ${nextMs}, of it to compare ${lookMs}`,
      )
      assert.equal(killed, killCount)
    },
  )
}
