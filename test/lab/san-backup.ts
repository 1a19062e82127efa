import assert from 'node:assert/strict'

import { eventually } from '../support/eventually.ts'
import type { CommandResult } from './guest-process.ts'
import type { SanScene } from './san-scene.ts'
import { diskBytes } from './usage.ts'

/** Of some ten times as much. */
const READ_BEFORE_STOP_BYTES = 8 * 1024 * 1024

/** What `icecore backup --json` prints, as far as tests ask. */
export type BackupReport = {
  readonly pointId: string
  readonly done: { readonly mode: string; readonly transport: string }
  readonly requested: { readonly mode: string; readonly transport: string }
  readonly degraded: readonly { readonly code: string; readonly message: string }[]
  readonly objects: readonly {
    readonly readBytes: number
    readonly allocatedBytes: number
    readonly image?: { readonly movedBytes: number }
  }[]
  readonly durationMs: number
  readonly storedBytes: number
}

export type WantedRun = {
  readonly exitCode: number
  readonly mode?: string
  readonly transport?: string
  readonly says?: RegExp
}

/** The words of a backup on the mover of what the owner has at `path`. */
export function backupWords(path: string, ...more: readonly string[]): readonly string[] {
  return ['backup', path, '--agent', 'owner', '--json', ...more]
}

/** A run that must end so; gives its report, null when no point was made. */
export async function backUpFromMover(
  scene: SanScene,
  path: string,
  wanted: WantedRun & { readonly words?: readonly string[] },
): Promise<BackupReport | null> {
  const result = await scene.onMover(...backupWords(path, ...(wanted.words ?? [])))
  return assertRun(result, wanted)
}

export function assertRun(
  { exitCode, stdout, stderr }: CommandResult,
  wanted: WantedRun,
): BackupReport | null {
  const text = `${exitCode}\n${stdout}${stderr}`
  assert.equal(exitCode, wanted.exitCode, text)
  if (wanted.says !== undefined) assert.match(text, wanted.says)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the contract of `backup --json`
  const report = JSON.parse(stdout) as BackupReport | { readonly error: unknown }
  if ('error' in report) return null
  if (wanted.mode !== undefined) assert.equal(report.done.mode, wanted.mode, text)
  assert.equal(report.done.transport, wanted.transport ?? 'san', text)
  return report
}

/** A run, not too fast, that is stopped in the middle of its reading, where `act` does something; then it goes on. */
export async function backUpWhile(
  scene: SanScene,
  path: string,
  act: () => Promise<void>,
): Promise<CommandResult> {
  const run = scene.startOnMover(...backupWords(path, '--progress', 'json', '--limit-rate', '8MiB/s'))
  let isOver = false
  void run.ended.then(
    () => (isOver = true),
    () => (isOver = true),
  )
  const said = (): string => run.soFar('stderr') + run.soFar('stdout')
  await eventually(() => isOver || said().includes('"phase":"Reading'), said)
  // What was read counts as progress only when it is known that it did not move.
  const { read: before } = await diskBytes(scene.mover, scene.moverDisks)
  await eventually(async () => {
    const { read } = await diskBytes(scene.mover, scene.moverDisks)
    return isOver || read - before >= READ_BEFORE_STOP_BYTES
  }, said)
  assert.ok(!isOver, `it ended before it was in the middle: ${said()}`)
  run.signal('SIGSTOP')
  await act()
  run.signal('SIGCONT')
  return await run.ended
}
