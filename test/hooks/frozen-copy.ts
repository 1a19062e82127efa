import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'

import type { Hook } from '../../src/capture/hooks/hook.ts'
import type { FreezeRecord } from '../../src/domain/ledger.ts'
import { loopDevice } from '../support/loop-device.ts'
import type { MountedFileSystem } from '../support/mounted-file-system.ts'
import { runTool } from '../support/run-tool.ts'
import { temporaryRepository } from '../support/temporary-repository.ts'
import type { TemporaryFolder } from '../support/temporary-folder.ts'
import { Made, quiesce } from './quiesce.ts'

/** Freezes the file system with the hook around it, copies its image meanwhile, and backs up and restores the copy. */
export async function backUpFrozen(
  folder: TemporaryFolder,
  mounted: MountedFileSystem,
  hook: { readonly command: readonly string[]; readonly environment: Readonly<Record<string, string>> },
): Promise<{ readonly record: FreezeRecord; readonly restored: string }> {
  const copy = folder.join('copy.img')
  const hooks = [
    { command: hook.command, timeoutMs: 30_000, onFailure: 'abort' },
  ] as const satisfies readonly Hook[]
  const plan = {
    hooks: { beforeFreeze: hooks, afterThaw: hooks },
    mountPoints: [mounted.mountPoint],
    environment: hook.environment,
  }
  const { record, degraded } = await quiesce(folder, plan, async () => {
    runTool('cp', ['--reflink=auto', '--sparse=always', mounted.image, copy])
    return await Promise.resolve(new Made())
  })
  assert.deepEqual(degraded, [])
  using repository = await temporaryRepository()
  const { pointId } = await repository.backup([copy])
  const restored = folder.join('restored.img')
  await repository.restore([pointId, '--to', restored])
  return { record, restored }
}

/** Mounts an image at `name` in the folder, until the end of the block. */
export function mountImage(
  folder: TemporaryFolder,
  image: string,
  name: string,
): Disposable & { readonly path: string } {
  const path = folder.join(name)
  mkdirSync(path)
  using stack = new DisposableStack()
  const device = stack.use(loopDevice(image))
  runTool('mount', [device.path, path])
  stack.defer(() => void runTool('umount', [path]))
  const held = stack.move()
  return { path, [Symbol.dispose]: () => held.dispose() }
}
