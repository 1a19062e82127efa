import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { atProgress } from '../support/at-progress.ts'
import { cloningFileSystem } from '../support/cloning-file-system.ts'
import { runIcecore, type IcecoreResult } from '../support/run-icecore.ts'
import type { RunningAgent } from '../support/running-agent.ts'
import { sha256File } from '../support/sha256-file.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const MIB = 1024 * 1024
const SIZE_MIB = 12

/** A file that an agent can freeze by cloning, and a repository. */
export type AgentScene = Disposable & {
  readonly folder: ReturnType<typeof temporaryFolder>
  readonly disk: string
  readonly files: ReturnType<typeof cloningFileSystem>
  readonly repository: string
}

export async function openAgentScene(): Promise<AgentScene> {
  const folder = temporaryFolder()
  const files = cloningFileSystem('xfs')
  const disk = files.join('disk.img')
  writeFileSync(disk, randomBytes(SIZE_MIB * MIB))
  const repository = folder.join('repository')
  await icecore(['init', repository, '--no-encryption'])
  return {
    folder,
    files,
    disk,
    repository,
    [Symbol.dispose]() {
      files[Symbol.dispose]()
      folder[Symbol.dispose]()
    },
  }
}

export async function icecore(words: readonly string[]): Promise<IcecoreResult> {
  const result = await runIcecore(words, { environment: { HOME: '/nonexistent' } })
  assert.equal(result.exitCode, 0, result.stderr)
  return result
}

export async function backUp(
  scene: AgentScene,
  agent: RunningAgent,
  ...more: readonly string[]
): Promise<IcecoreResult> {
  const words = ['backup', scene.disk, '-r', scene.repository, '--json', ...agent.words, ...more]
  return await runIcecore(words, { environment: agent.environment })
}

/** A backup over the network, so slow that `act`, done when it begins to read, is done long before its end. */
export async function backUpSlowly(
  scene: AgentScene,
  agent: RunningAgent,
  act: (child: ChildProcess) => void,
): Promise<IcecoreResult> {
  const words = ['backup', scene.disk, '-r', scene.repository, ...agent.words, '--transport', 'lan']
  return await runIcecore([...words, '--limit-rate', '2MiB/s', '--progress', 'json'], {
    environment: agent.environment,
    onStart: atProgress(/"event":"phase","phase":"Reading/, act),
  })
}

export async function assertRestores(scene: AgentScene): Promise<void> {
  const target = scene.folder.join('restored')
  await icecore(['restore', 'latest', '-r', scene.repository, '--to', target, '--overwrite'])
  assert.equal(await sha256File(target), await sha256File(scene.disk))
}

/** Overwrites one MiB. */
export function write(scene: AgentScene, atMib: number): void {
  const file = openSync(scene.disk, 'r+')
  writeSync(file, randomBytes(MIB), 0, MIB, atMib * MIB)
  closeSync(file)
}
