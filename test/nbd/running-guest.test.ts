import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { startNbdServer } from '../support/nbd-server.ts'
import { connectQmp, type Qmp } from '../support/qmp.ts'
import { runIcecore } from '../support/run-icecore.ts'
import { runTool } from '../support/run-tool.ts'
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.ts'

/** Freezes the disk under its writer, as docs/nbd.md shows it: from now on `vm1` is what the disk was at this moment. */
async function freeze(
  folder: TemporaryFolder,
  qmp: Qmp,
  bitmaps: { old: string | null; next: string },
): Promise<void> {
  const scratch = folder.join('scratch.qcow2')
  runTool('qemu-img', ['create', '-q', '-f', 'qcow2', scratch, '64M'])
  const file = { driver: 'file', filename: scratch }
  await qmp.execute('blockdev-add', { 'node-name': 'frozen', driver: 'qcow2', file, backing: 'disk0' })
  const { old, next } = bitmaps
  const at = { node: 'disk0' }
  const begin = { type: 'block-dirty-bitmap-add', data: { ...at, name: next, persistent: true } }
  const job = { 'job-id': 'fleece', device: 'disk0', target: 'frozen', sync: 'none' }
  const end = old === null ? [] : [{ type: 'block-dirty-bitmap-disable', data: { ...at, name: old } }]
  const actions = [...end, begin, { type: 'blockdev-backup', data: job }]
  await qmp.execute('transaction', { actions })
  await qmp.execute('block-export-add', {
    type: 'nbd',
    id: 'frozen',
    'node-name': 'frozen',
    name: 'vm1',
    writable: false,
    ...(old === null ? {} : { bitmaps: [{ node: 'disk0', name: old }] }),
  })
}

async function thaw(qmp: Qmp): Promise<void> {
  // A job that is gone has let the image go before.
  assert.match(JSON.stringify(await qmp.execute('query-block-jobs')), /"device":"fleece"/)
  await qmp.execute('block-export-del', { id: 'frozen', mode: 'hard' })
  await qmp.execute('block-job-cancel', { device: 'fleece' })
  for (let tries = 0; ; tries += 1) {
    try {
      await qmp.execute('blockdev-del', { 'node-name': 'frozen' })
      return
    } catch (error) {
      // The job lets go of the node a moment after it was told to.
      if (tries === 1000) throw error
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

/** Writes to the disk as a guest does. */
function write(live: string, commands: readonly string[]): void {
  runTool('qemu-io', ['-f', 'raw', ...commands.flatMap((command) => ['-c', command]), live])
}

test('backup of a disk whose guest goes on writing is of one moment, and so is the next one from the bitmap', async () => {
  using folder = temporaryFolder()
  const disk = folder.join('vm1.qcow2')
  runTool('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '64M'])
  await using server = await startNbdServer(folder, ({ socket, pidFile }) => [
    'qemu-storage-daemon',
    '--pidfile',
    pidFile,
    '--chardev',
    `socket,id=qmp0,path=${folder.join('qmp.sock')},server=on,wait=off`,
    '--monitor',
    'chardev=qmp0',
    '--blockdev',
    `driver=file,node-name=file0,filename=${disk}`,
    '--blockdev',
    'driver=qcow2,node-name=disk0,file=file0',
    '--nbd-server',
    `addr.type=unix,addr.path=${socket}`,
    '--export',
    'type=nbd,id=live,node-name=disk0,name=live,writable=on',
  ])
  using qmp = await connectQmp(folder.join('qmp.sock'))
  const live = server.uri('live')
  const environment = { ICECORE_REPOSITORY: folder.join('repo'), XDG_CACHE_HOME: folder.join('cache') }
  const icecore = async (words: readonly string[], input = ''): Promise<unknown> => {
    const result = await runIcecore([...words, '--json'], { environment, input })
    assert.equal(result.exitCode, 0, result.stdout + result.stderr)
    return result.json
  }
  const asFrozen = folder.join('frozen.raw')
  const keepFrozen = (): void => {
    runTool('qemu-img', ['convert', '-f', 'raw', '-O', 'raw', server.uri('vm1'), asFrozen])
  }
  const assertSame = async (): Promise<void> => {
    await icecore(['restore', 'latest', '--to', folder.join('out.raw'), '--overwrite'])
    assert.equal(Buffer.compare(readFileSync(folder.join('out.raw')), readFileSync(asFrozen)), 0)
  }
  await icecore(['init', folder.join('repo'), '--no-encryption'])

  write(live, ['write -P 1 0 40M'])
  await freeze(folder, qmp, { old: null, next: 'since-1' })
  write(live, ['write -P 2 8M 1M', 'write -P 3 50M 64k'])
  keepFrozen()
  assert.equal(readFileSync(asFrozen)[8 * 1024 * 1024], 1)
  const writer = spawn('qemu-io', ['-f', 'raw', '-c', 'write -P 4 20M 2M', live], { stdio: 'ignore' })
  await icecore(['backup', server.uri('vm1'), '--name', 'vm1'])
  if (writer.exitCode === null) await once(writer, 'exit')
  await assertSame()
  await thaw(qmp)

  await freeze(folder, qmp, { old: 'since-1', next: 'since-2' })
  write(live, ['write -P 5 30M 1M'])
  keepFrozen()
  const map: unknown = JSON.parse(
    runTool('nbdinfo', ['--json', '--map=qemu:dirty-bitmap:since-1', server.uri('vm1')]),
  )
  assert(Array.isArray(map))
  const changes = JSON.stringify(map.filter(({ type }) => type === 1))
  const second = await icecore(['backup', server.uri('vm1'), '--name', 'vm1', '--changes', '-'], changes)
  assert(typeof second === 'object' && second !== null && 'done' in second)
  assert.deepEqual(second.done, { mode: 'incremental', transport: 'nbd' })
  await assertSame()
  await thaw(qmp)
})
