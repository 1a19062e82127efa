import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { eventually } from '../support/eventually.ts'
import { isWritable, mountedFileSystem } from '../support/mounted-file-system.ts'
import { needsLoopDevices } from '../support/requirements.ts'
import { runTool } from '../support/run-tool.ts'
import { seededRandomness } from '../support/seeded-randomness.ts'
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts'

const PROGRAM = fileURLToPath(new URL('./killed-program.ts', import.meta.url))
const ROUNDS = 20
/** On a busy machine the freeze comes late: more are killed until one is killed in it. */
const ROUNDS_MAX = 60
const ONLY = 'only'
/** From its first hook on, the program lives a little less. */
const LIFE_MS = 500

type Started = { readonly child: ChildProcess; readonly journal: string; readonly log: string }

/** `name` tells the files of this program from those of others, which may still be written to. */
function start(folder: TemporaryFolder, mountPoint: string, name: string): Started {
  const journal = folder.join(`${name}.journal`)
  const log = folder.join('state', `${name}.log`)
  // Those that are not killed at random need the time to be looked at.
  const holdMs = name === ONLY ? '3000' : '150'
  const child = spawn(process.execPath, [PROGRAM, journal, mountPoint, log, holdMs], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return { child, journal, log }
}

function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
}

/** What a window that ended leaves behind, however it ended. */
async function assertUndone({ journal, log }: Started, mountPoint: string): Promise<void> {
  assert.ok(await isWritable(mountPoint, 10_000), 'it is not left frozen')
  const state = (): string => JSON.stringify([linesOf(journal), linesOf(log)])
  const hasEnded = (): boolean => linesOf(journal).some((line) => line.startsWith('after-thaw'))
  if (existsSync(journal)) await eventually(hasEnded, state)
  const stages = linesOf(journal).map((line) => line.split(' ')[0])
  const ends = stages.filter((stage) => stage === 'after-thaw').length
  assert.deepEqual([stages.filter((stage) => stage === 'before-freeze').length, ends], [ends, ends], state())
}

test(
  'a SIGKILL at any moment leaves nothing frozen and no hook without its counterpart',
  { skip: needsLoopDevices() },
  async (context) => {
    const seed = 1 + (process.pid % 100_000)
    context.diagnostic(`seed ${seed}`)
    const randomness = seededRandomness(seed)
    using folder = temporaryFolder()
    using home = mountedFileSystem(folder, 'home')
    // Something has always to be written back when the freeze comes.
    const writer = spawn('/bin/sh', [
      '-c',
      'while :; do echo "$0" > "$0/busy"; sync "$0/busy"; done',
      home.mountPoint,
    ])
    let killedFrozen = 0
    try {
      for (let round = 0; round < ROUNDS || (killedFrozen === 0 && round < ROUNDS_MAX); round += 1) {
        const started = start(folder, home.mountPoint, `${round}`)
        const exited = once(started.child, 'exit')
        let output = ''
        started.child.stdout?.on('data', (text: Buffer) => (output += text.toString()))
        await eventually(
          () => existsSync(started.journal),
          () => 'the first hook has begun',
        )
        await sleep(randomness.below(LIFE_MS))
        started.child.kill('SIGKILL')
        await exited
        if (/frozen/.test(output) && !/done/.test(output)) killedFrozen += 1
        await assertUndone(started, home.mountPoint)
      }
    } finally {
      // What it has open would keep the file system from being unmounted.
      const ended = once(writer, 'exit')
      writer.kill('SIGKILL')
      await ended
    }
    assert.ok(killedFrozen > 0, 'some were killed while frozen')
  },
)

test(
  'a killed icecore is reported, and what it guarded is undone',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    using home = mountedFileSystem(folder, 'home')
    const started = start(folder, home.mountPoint, ONLY)
    const [output] = await once(started.child.stdout ?? assert.fail(), 'data')
    assert.match(String(output), /^frozen/)
    assert.equal(await isWritable(home.mountPoint, 50), false)
    started.child.kill('SIGKILL')
    await eventually(
      () => linesOf(started.log).length === 3,
      () => JSON.stringify(linesOf(started.log)),
    )
    assert.deepEqual(linesOf(started.journal), [
      'before-freeze - one',
      'after-thaw died two',
      'undone - snapshot',
    ])
    const line = /^\S+Z icecore [0-9a-f]{8} died: (.*)$/
    const deeds = linesOf(started.log).map((text) => line.exec(text)?.[1] ?? text)
    assert.match(deeds[0] ?? '', /^Thawed after \d+ ms$/)
    assert.match(deeds[1] ?? '', /^Ran "\/bin\/sh" in \d+ ms: exit code 0$/)
    assert.ok(await isWritable(home.mountPoint, 10_000))
  },
)

test('icecore undoes itself what a killed watchdog leaves', { skip: needsLoopDevices() }, async () => {
  using folder = temporaryFolder()
  using home = mountedFileSystem(folder, 'home')
  const started = start(folder, home.mountPoint, ONLY)
  const exited = once(started.child, 'exit')
  const [output] = await once(started.child.stdout ?? assert.fail(), 'data')
  const [, watchdog] = /frozen by (\d+)/.exec(String(output)) ?? []
  process.kill(Number(watchdog), 'SIGKILL')
  assert.deepEqual(await exited, [1, null])
  assert.ok(await isWritable(home.mountPoint, 10_000))
  assert.deepEqual(linesOf(started.journal), ['before-freeze - one', 'after-thaw died two'])
})

test(
  'the watchdog holds nothing of what it freezes but its mount point, and outlives a terminal',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    using home = mountedFileSystem(folder, 'home')
    const started = start(folder, home.mountPoint, ONLY)
    const [output] = await once(started.child.stdout ?? assert.fail(), 'data')
    const [, watchdog = ''] = /frozen by (\d+)/.exec(String(output)) ?? []
    const open = runTool('sh', ['-c', `readlink /proc/${watchdog}/fd/* /proc/${watchdog}/cwd`]).split('\n')
    assert.deepEqual(
      open.filter((path) => path.startsWith(home.mountPoint)),
      [home.mountPoint],
    )
    const [session] = runTool('ps', ['-o', 'sid=', '-p', watchdog]).trim().split('\n')
    assert.equal(session, watchdog)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(Number(watchdog), signal)
    assert.deepEqual(await once(started.child, 'exit'), [0, null])
  },
)
