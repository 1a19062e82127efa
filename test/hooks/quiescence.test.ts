import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { eventually } from '../support/eventually.ts'
import { isWritable, mountedFileSystem } from '../support/mounted-file-system.ts'
import { needsLoopDevices } from '../support/requirements.ts'
import { runTool } from '../support/run-tool.ts'
import { type TemporaryFolder, temporaryFolder } from '../support/temporary-folder.ts'
import { journalHook, Made, quiesce } from './quiesce.ts'

const BLOCKED_MS = 200

function journal(folder: TemporaryFolder): string[] {
  const path = folder.join('journal')
  // Whole lines only: while the file is made it is empty.
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
}

async function make(): Promise<Made> {
  return await Promise.resolve(new Made())
}

test(
  'withQuiescence() runs hooks around a freeze and says what happened',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    using home = mountedFileSystem(folder, 'home')
    using data = mountedFileSystem(folder, 'data')
    const mountPoints = [home.mountPoint, data.mountPoint]
    const hooks = {
      beforeFreeze: [journalHook('one', 'echo ready'), journalHook('two')],
      afterThaw: [journalHook('three'), journalHook('four')],
    }
    const quiesced = await quiesce(folder, { hooks, mountPoints }, async () => {
      assert.deepEqual(journal(folder), ['before-freeze - one', 'before-freeze - two'])
      const writable = await Promise.all(mountPoints.map((mountPoint) => isWritable(mountPoint, BLOCKED_MS)))
      assert.deepEqual(writable, [false, false])
      return new Made()
    })
    for (const mountPoint of mountPoints) assert.ok(await isWritable(mountPoint, 10_000))
    assert.deepEqual(journal(folder).slice(2), ['after-thaw frozen three', 'after-thaw frozen four'])
    const { record, degraded, frozen } = quiesced
    assert.equal(frozen.isDisposed, false)
    assert.deepEqual(degraded, [])
    assert.deepEqual(record.mountPoints, mountPoints)
    assert.ok(record.windowMs !== null && record.windowMs >= BLOCKED_MS)
    assert.deepEqual(
      record.hooks.map(({ stage, program, exitCode, failure, output }) => [
        stage,
        program,
        exitCode,
        failure,
        output,
      ]),
      [
        ['before-freeze', '/bin/sh', 0, null, 'ready\n'],
        ['before-freeze', '/bin/sh', 0, null, ''],
        ['after-thaw', '/bin/sh', 0, null, ''],
        ['after-thaw', '/bin/sh', 0, null, ''],
      ],
    )
    assert.equal(existsSync(folder.join('state')), false, 'the watchdog had nothing to report')
  },
)

test(
  'who has made the image lets the sources go on, and has the rest of its work before it',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    using home = mountedFileSystem(folder, 'home')
    const hooks = { beforeFreeze: [journalHook('one')], afterThaw: [journalHook('two')] }
    const plan = { hooks, mountPoints: [home.mountPoint], freezeDeadlineMs: 3000 }
    const { record, degraded } = await quiesce(folder, plan, async (signal, letGo) => {
      assert.equal(await isWritable(home.mountPoint, BLOCKED_MS), false)
      await letGo()
      assert.ok(await isWritable(home.mountPoint, 10_000))
      assert.deepEqual(journal(folder), ['before-freeze - one', 'after-thaw frozen two'])
      await sleep(plan.freezeDeadlineMs)
      assert.equal(signal.aborted, false, 'the deadline is over when everything goes on')
      return new Made()
    })
    assert.deepEqual(degraded, [])
    assert.equal(journal(folder).length, 2)
    assert.equal(record.hooks.length, 2)
    assert.ok(record.windowMs !== null && record.windowMs < plan.freezeDeadlineMs)
  },
)

test(
  'a hook after the thaw that fails ends the work that had let go',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    const hooks = { beforeFreeze: [journalHook('one')], afterThaw: [journalHook('two', 'exit 3')] }
    const work = quiesce(folder, { hooks }, async (_signal, letGo) => {
      await letGo()
      return new Made()
    })
    await assert.rejects(work, { code: 'HOOK_FAILED' })
    assert.deepEqual(journal(folder), ['before-freeze - one', 'after-thaw frozen two'])
  },
)

test('hooks know the run, and neither the password nor how to get it', async () => {
  using folder = temporaryFolder()
  const environment = {
    ICECORE_PASSWORD: 'hunter22',
    ICECORE_PASSWORD_FILE: '/root/pw',
    ICECORE_PASSWORD_COMMAND: 'pass show',
    PGPASSWORD: 'elephant',
  }
  const plan = { runId: 'ab12', lineage: 'web', sources: ['/srv/a b', '/srv/c'], environment }
  const hook = journalHook('', 'env; echo "password=elephant postgres://u:secret@host"')
  const { record } = await quiesce(
    folder,
    { ...plan, hooks: { beforeFreeze: [hook], afterThaw: [hook] } },
    make,
  )
  const [before, after] = record.hooks.map(({ output }) => output)
  assert.match(before ?? '', /^ICECORE_STAGE=before-freeze$/m)
  assert.match(before ?? '', /^ICECORE_RUN_ID=ab12$/m)
  assert.match(before ?? '', /^ICECORE_LINEAGE=web$/m)
  assert.match(before ?? '', /^ICECORE_SOURCES=\/srv\/a b\n\/srv\/c$/m)
  assert.match(after ?? '', /^ICECORE_FREEZE_RESULT=frozen$/m)
  assert.match(before ?? '', /^PGPASSWORD=\*\*\*$/m)
  assert.match(before ?? '', /^password=\*\*\* postgres:\/\/u:\*\*\*@host$/m)
  for (const output of [before, after])
    assert.doesNotMatch(output ?? '', /ICECORE_PASSWORD|hunter22|elephant|secret/)
})

test('a hook that fails aborts the run before anything is frozen, and those after the thaw are run', async () => {
  using folder = temporaryFolder()
  const hooks = {
    beforeFreeze: [journalHook('one', 'echo no such database >&2; exit 9'), journalHook('two')],
    afterThaw: [journalHook('three')],
  }
  let wasCalled = false
  const run = quiesce(folder, { hooks }, async () => {
    wasCalled = true
    return await make()
  })
  await assert.rejects(run, {
    code: 'HOOK_FAILED',
    message:
      'Cannot run "/bin/sh" before the freeze: it ended with exit code 9, and wrote last: no such database',
  })
  assert.equal(wasCalled, false)
  assert.deepEqual(journal(folder), ['before-freeze - one', 'after-thaw failed three'])
})

test('a hook that may fail degrades the run', async () => {
  using folder = temporaryFolder()
  const hooks = {
    beforeFreeze: [journalHook('one', 'sleep 600', { onFailure: 'degrade', timeoutMs: 300 })],
    afterThaw: [journalHook('two', 'exit 1', { onFailure: 'degrade' }), journalHook('three')],
  }
  const { record, degraded } = await quiesce(folder, { hooks }, make)
  assert.deepEqual(degraded, [
    { code: 'HOOK_FAILED', message: 'Cannot run "/bin/sh" before the freeze: it did not end within 0.3 s' },
    { code: 'HOOK_FAILED', message: 'Cannot run "/bin/sh" after the thaw: it ended with exit code 1' },
  ])
  assert.deepEqual(
    record.hooks.map(({ failure }) => failure),
    ['it did not end within 0.3 s', 'it ended with exit code 1', null],
  )
})

test('a hook after the thaw that must not fail fails the run, and what was frozen is released', async () => {
  using folder = temporaryFolder()
  const hooks = {
    beforeFreeze: [journalHook('one')],
    afterThaw: [journalHook('two', 'exit 1'), journalHook('three')],
  }
  const made = new Made()
  await assert.rejects(
    quiesce(folder, { hooks }, async () => await Promise.resolve(made)),
    { code: 'HOOK_FAILED', message: /after the thaw: it ended with exit code 1$/ },
  )
  assert.equal(made.isDisposed, true)
  assert.equal(journal(folder).at(-1), 'after-thaw frozen three')
})

test('hooks after the thaw are not run when none before the freeze was', async () => {
  using folder = temporaryFolder()
  const { record } = await quiesce(
    folder,
    { hooks: { beforeFreeze: [], afterThaw: [journalHook('one')] } },
    make,
  )
  assert.deepEqual([journal(folder), record.hooks], [[], []])
})

test(
  'a failure of the freeze thaws, runs the hooks and is the one that is thrown',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    using home = mountedFileSystem(folder, 'home')
    const hooks = { beforeFreeze: [journalHook('one')], afterThaw: [journalHook('two', 'exit 3')] }
    const notices: string[] = []
    const run = quiesce(folder, { hooks, mountPoints: [home.mountPoint], notices }, async () => {
      assert.equal(await isWritable(home.mountPoint, BLOCKED_MS), false)
      throw new Error('no room for a snapshot')
    })
    await assert.rejects(run, { message: 'no room for a snapshot' })
    assert.ok(await isWritable(home.mountPoint, 10_000))
    assert.deepEqual(journal(folder), ['before-freeze - one', 'after-thaw failed two'])
    assert.deepEqual(notices, ['Cannot run "/bin/sh" after the thaw: it ended with exit code 3'])
  },
)

test(
  'a file system that cannot be frozen is named, and the others are thawed',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    using home = mountedFileSystem(folder, 'home')
    using data = mountedFileSystem(folder, 'data')
    const hooks = { beforeFreeze: [journalHook('one')], afterThaw: [journalHook('two')] }
    const mountPoints = [home.mountPoint, data.mountPoint]
    runTool('fsfreeze', ['--freeze', data.mountPoint])
    await assert.rejects(quiesce(folder, { hooks, mountPoints }, make), {
      code: 'FREEZE_FAILED',
      message: `Cannot freeze "${data.mountPoint}": it is frozen already`,
    })
    assert.ok(await isWritable(home.mountPoint, 10_000))
    assert.equal(
      await isWritable(data.mountPoint, BLOCKED_MS),
      false,
      'what somebody else froze stays frozen',
    )
    runTool('fsfreeze', ['--unfreeze', data.mountPoint])
    assert.equal(journal(folder).at(-1), 'after-thaw failed two')
    await assert.rejects(quiesce(folder, { mountPoints: ['/proc'] }, make), {
      message: 'Cannot freeze "/proc": the system reports ENOTSUP',
    })
  },
)

test(
  'the watchdog thaws at the deadline, while icecore still works',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    using home = mountedFileSystem(folder, 'home')
    const hooks = { beforeFreeze: [journalHook('one')], afterThaw: [journalHook('two')] }
    const plan = { hooks, mountPoints: [home.mountPoint], freezeDeadlineMs: 300 }
    const made = new Made()
    const run = quiesce(folder, plan, async () => {
      // A program that looks at no signal, and is busy all the time.
      runTool('sleep', ['1'])
      assert.ok(await isWritable(home.mountPoint, 5000))
      return made
    })
    await assert.rejects(run, { code: 'FREEZE_FAILED', message: /it lasted longer than 0\.3 s/ })
    assert.equal(made.isDisposed, true)
    assert.deepEqual(journal(folder), ['before-freeze - one', 'after-thaw expired two'])
    const waiting = quiesce(folder, plan, async (signal) => {
      await sleep(20_000, undefined, { signal })
      return made
    })
    await assert.rejects(waiting, { code: 'FREEZE_FAILED', message: /it lasted longer than 0\.3 s/ })
  },
)

test(
  'a file system that somebody else thawed did not stand still',
  { skip: needsLoopDevices() },
  async () => {
    using folder = temporaryFolder()
    using home = mountedFileSystem(folder, 'home')
    const run = quiesce(folder, { mountPoints: [home.mountPoint] }, async () => {
      runTool('fsfreeze', ['--unfreeze', home.mountPoint])
      return await make()
    })
    await assert.rejects(run, { code: 'FREEZE_FAILED', message: /home" was thawed by somebody else$/ })
  },
)

test('a cancellation ends the hook that runs, and runs those after the thaw', async () => {
  using folder = temporaryFolder()
  const hooks = { beforeFreeze: [journalHook('one', 'sleep 600')], afterThaw: [journalHook('two')] }
  const cancelled = new Error('cancelled')
  const controller = new AbortController()
  const run = quiesce(folder, { hooks, signal: controller.signal }, make)
  await eventually(() => journal(folder).length > 0)
  controller.abort(cancelled)
  await assert.rejects(run, cancelled)
  assert.deepEqual(journal(folder), ['before-freeze - one', 'after-thaw cancelled two'])
})

test('two mount points of one file system are frozen once', { skip: needsLoopDevices() }, async () => {
  using folder = temporaryFolder()
  using home = mountedFileSystem(folder, 'home')
  const plan = { mountPoints: [home.mountPoint, `${home.mountPoint}/lost+found`] }
  await quiesce(folder, plan, async () => {
    assert.equal(await isWritable(home.mountPoint, BLOCKED_MS), false)
    return new Made()
  })
  assert.ok(await isWritable(home.mountPoint, 10_000))
})
