import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

import { runIcecore, type IcecoreResult } from './run-icecore.ts'
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts'

/** A repository, and room for the disks that are backed up into it. */
export type NbdRepository = Disposable & {
  readonly folder: TemporaryFolder
  icecore(words: readonly string[], input?: string): Promise<IcecoreResult>
  /** Fails when the exit code is another. The result of the command. */
  run(words: readonly string[], how?: { exitCode?: number; input?: string }): Promise<Record<string, unknown>>
  /** Restores the latest point, and fails where it is not what the file is. */
  assertRestores(path: string): Promise<void>
}

/** A repository without encryption, in a folder of its own. */
export async function nbdRepository(): Promise<NbdRepository> {
  const folder = temporaryFolder()
  const environment = { ICECORE_REPOSITORY: folder.join('repo'), XDG_CACHE_HOME: folder.join('cache') }
  const icecore: NbdRepository['icecore'] = async (words, input) =>
    await runIcecore([...words, '--json'], { environment, ...(input === undefined ? {} : { input }) })
  const run: NbdRepository['run'] = async (words, { exitCode = 0, input } = {}) => {
    const result = await icecore(words, input)
    assert.equal(result.exitCode, exitCode, result.stdout + result.stderr)
    assert(typeof result.json === 'object' && result.json !== null)
    return { ...result.json }
  }
  await run(['init', folder.join('repo'), '--no-encryption'])
  return {
    folder,
    icecore,
    run,
    async assertRestores(path) {
      await run(['restore', 'latest', '--to', folder.join('out.raw'), '--overwrite'])
      assert.equal(Buffer.compare(readFileSync(folder.join('out.raw')), readFileSync(path)), 0)
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}
