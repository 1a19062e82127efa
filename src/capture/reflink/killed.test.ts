import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { cloningFileSystem, needsCloning } from '../../../test/support/cloning-file-system.ts'
import { reflinkOn } from '../../../test/support/reflink-on.ts'
import { noiseBytes } from '../../../test/support/sample-files.ts'
import { seededRandomness } from '../../../test/support/seeded-randomness.ts'

const PROGRAM = new URL('../../../test/support/freeze-until-killed.ts', import.meta.url)
const KILL_COUNT = 10
const KILL_MS_MAX = 60
const { signal } = new AbortController()

for (const kind of ['xfs', 'btrfs'] as const) {
  test(
    `SIGKILL at any moment leaves only clones on ${kind} that are found and released`,
    { skip: needsCloning(kind) },
    async () => {
      using mounted = cloningFileSystem(kind)
      const folder = mounted.join('.icecore')
      const provider = reflinkOn(mounted.path)
      const chance = seededRandomness(4)
      const paths = ['one', 'two'].map((name) => mounted.join(name))
      for (const path of paths) writeFileSync(path, noiseBytes(path, 300_000))
      for (let kill = 0; kill < KILL_COUNT; kill += 1) {
        const child = fork(PROGRAM, paths, { execArgv: [] })
        await once(child, 'message')
        await setTimeout(chance.below(KILL_MS_MAX))
        child.kill('SIGKILL')
        await once(child, 'exit')
        const held = await provider.held(signal)
        const files = existsSync(folder) ? readdirSync(folder) : []
        assert.deepEqual(held.map(({ id }) => id).toSorted(), files.toSorted(), `after kill ${kill}`)
        for (const image of held) if (image.use.kind === 'run') await provider.release(image, signal)
      }
      await using group = await provider.freeze(
        { sources: paths, lineageKey: 'ab'.repeat(16), leaseEndsAtMs: 2 ** 42, owner: 'test' },
        signal,
      )
      await group.keep('ff'.repeat(32), signal)
      assert.equal(
        (await provider.held(signal)).length,
        paths.length,
        'bases of runs that were killed are still held',
      )
      for (const image of await provider.held(signal)) await provider.release(image, signal)
      assert.equal(existsSync(folder), false)
    },
  )
}
