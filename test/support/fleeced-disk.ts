import assert from 'node:assert/strict'

import * as v from 'valibot'

import { startNbdServer, type NbdServer } from './nbd-server.ts'
import { connectQmp, type Qmp } from './qmp.ts'
import { runTool } from './run-tool.ts'
import type { TemporaryFolder } from './temporary-folder.ts'

/** A disk of qemu-storage-daemon whose guest writes to the export `live`, and that is frozen as docs/nbd.md shows it. */
export type FleecedDisk = AsyncDisposable & {
  readonly server: NbdServer
  /** Where its guest writes. */
  readonly live: string
  /** What it was at the moment of the last `freeze()`. */
  readonly frozen: string
  /** Freezes it under its guest; `next` begins, and `old`, which the export shows, ends at this moment. */
  freeze(bitmaps: { readonly old: string | null; readonly next: string }): Promise<void>
  /** Lets go of the image, and of the bitmap that it showed. */
  release(old: string | null): Promise<void>
  /** Forgets what changed since a bitmap began. */
  removeBitmap(name: string): Promise<void>
  /** What the daemon has beyond what it began with: nodes, exports, jobs, bitmaps. */
  leftovers(): Promise<readonly string[]>
}

const NODES = v.array(
  v.object({
    'node-name': v.string(),
    'dirty-bitmaps': v.optional(v.array(v.object({ name: v.string() })), []),
  }),
)
const EXPORTS = v.array(v.object({ id: v.string() }))
const JOBS = v.array(v.object({ device: v.string() }))

export async function fleecedDisk(folder: TemporaryFolder, size: string): Promise<FleecedDisk> {
  const disk = folder.join('vm1.qcow2')
  runTool('qemu-img', ['create', '-q', '-f', 'qcow2', disk, size])
  await using stack = new AsyncDisposableStack()
  const server = stack.use(
    await startNbdServer(folder, ({ socket, pidFile }) => [
      'qemu-storage-daemon',
      '--pidfile',
      pidFile,
      '--chardev',
      `socket,id=qmp0,path=${folder.join('qmp.sock')},server=on,wait=off`,
      '--monitor',
      'chardev=qmp0',
      '--blockdev',
      `driver=file,node-name=file0,filename=${disk},discard=unmap`,
      '--blockdev',
      'driver=qcow2,node-name=disk0,file=file0,discard=unmap',
      '--nbd-server',
      `addr.type=unix,addr.path=${socket},max-connections=16`,
      '--export',
      'type=nbd,id=live,node-name=disk0,name=live,writable=on',
    ]),
  )
  const qmp = stack.use(await connectQmp(folder.join('qmp.sock')))
  const scratch = folder.join('scratch.qcow2')
  const at = { node: 'disk0' }
  const began = new Set(await parts(qmp))
  const removeBitmap = (name: string): Promise<void> =>
    untilItWorks(() => qmp.execute('block-dirty-bitmap-remove', { ...at, name }))
  const held = stack.move()
  return {
    server,
    live: server.uri('live'),
    frozen: server.uri('vm1'),
    async freeze({ old, next }) {
      runTool('qemu-img', ['create', '-q', '-f', 'qcow2', scratch, size])
      const file = { driver: 'file', filename: scratch }
      await qmp.execute('blockdev-add', { 'node-name': 'frozen', driver: 'qcow2', file, backing: 'disk0' })
      const begin = { type: 'block-dirty-bitmap-add', data: { ...at, name: next, persistent: true } }
      const job = { 'job-id': 'fleece', device: 'disk0', target: 'frozen', sync: 'none' }
      const end = old === null ? [] : [{ type: 'block-dirty-bitmap-disable', data: { ...at, name: old } }]
      await qmp.execute('transaction', { actions: [...end, begin, { type: 'blockdev-backup', data: job }] })
      await qmp.execute('block-export-add', {
        type: 'nbd',
        id: 'frozen',
        'node-name': 'frozen',
        name: 'vm1',
        writable: false,
        ...(old === null ? {} : { bitmaps: [{ ...at, name: old }] }),
      })
    },
    async release(old) {
      // A job that is gone has let the image go before.
      assert.match(JSON.stringify(await qmp.execute('query-block-jobs')), /"device":"fleece"/)
      await qmp.execute('block-export-del', { id: 'frozen', mode: 'hard' })
      await qmp.execute('block-job-cancel', { device: 'fleece' })
      await untilItWorks(() => qmp.execute('blockdev-del', { 'node-name': 'frozen' }))
      if (old !== null) await removeBitmap(old)
    },
    removeBitmap,
    leftovers: async () => (await parts(qmp)).filter((part) => !began.has(part)),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** All that the daemon says it has. */
async function parts(qmp: Qmp): Promise<readonly string[]> {
  const nodes = v.parse(NODES, await qmp.execute('query-named-block-nodes'))
  const exports = v.parse(EXPORTS, await qmp.execute('query-block-exports'))
  const jobs = v.parse(JOBS, await qmp.execute('query-block-jobs'))
  return [
    ...nodes.map((node) => `node ${node['node-name']}`),
    ...nodes.flatMap((node) => node['dirty-bitmaps'].map(({ name }) => `bitmap ${name}`)),
    ...exports.map(({ id }) => `export ${id}`),
    ...jobs.map(({ device }) => `job ${device}`),
  ]
}

/** What holds a node or a bitmap lets go of it a moment after it was told to. */
async function untilItWorks(command: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await command()
      return
    } catch (error) {
      if (tries === 1000) throw error
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
