// Runs in a guest: an agent whose thin pool is taken down, repaired and brought back while it holds images. See
// ../pool-repair.test.ts.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import type { AgentApi, FrozenByAgent, ImageOfAgent } from '../../../src/rpc/agent-api.ts'
import { freeze, openAgent, say } from './agent-in-process.ts'

const HOME = '/dev/vg0/home'
const POINT = 'cd'.repeat(32)
const METADATA = '/dev/mapper/vg0-pool_tmeta'

const { signal } = new AbortController()
const run = promisify(execFile)

async function shell(script: string): Promise<string> {
  return (await run('sh', ['-ec', script])).stdout
}

/** What `work` does while no volume of the group is there. */
async function takenDown(work: () => Promise<unknown>): Promise<void> {
  await shell('vgchange --quiet -an vg0')
  await work()
  await shell('vgchange --quiet -ay vg0')
}

/** Writes the pool's metadata anew, past LVM, without the first mappings of each volume: LVM's text stays as it was. */
async function loseMappings(): Promise<void> {
  const before = await shell('vgs --noheadings -o seqno vg0')
  await takenDown(async () => {
    await shell(`
      lvchange --quiet --yes -ay vg0/pool_tmeta
      thin_dump ${METADATA} > /tmp/dump.xml
      sed -E '/origin_(block|begin)="0"/d' /tmp/dump.xml > /tmp/less.xml
      ! cmp --silent /tmp/dump.xml /tmp/less.xml
      dmsetup create writable --table "$(dmsetup table vg0-pool_tmeta)"
      thin_restore -i /tmp/less.xml -o /dev/mapper/writable
      dmsetup remove writable
      lvchange --quiet -an vg0/pool_tmeta
    `)
  })
  assert.equal(await shell('vgs --noheadings -o seqno vg0'), before)
}

function imageOf({ images: [image] }: FrozenByAgent): ImageOfAgent {
  return image ?? assert.fail('nothing was frozen')
}

/** How many bytes moved. */
async function identify(agent: AgentApi, { imageId, epoch }: ImageOfAgent): Promise<number> {
  let moved = 0
  for await (const { extents } of agent.identify({ imageId, startingOffset: 0, epoch }, signal)) {
    for (const { length } of extents) moved += length
  }
  return moved
}

async function changes(agent: AgentApi, { imageId }: ImageOfAgent): Promise<number> {
  let changed = 0
  const from = { imageId, startingOffset: 0, basePointId: POINT }
  for await (const ranges of agent.delta(from, signal)) {
    for (const { length } of ranges) changed += length
  }
  return changed
}

await using agent = openAgent()

// A pool that is sound is the same after its repair: the run goes on, and so does the next one.
const first = await freeze(agent, HOME)
assert.equal(await identify(agent, imageOf(first)), 0)
await takenDown(() => shell('lvconvert --quiet --yes --repair vg0/pool'))
assert.equal(await identify(agent, imageOf(first)), 0)
await agent.keep({ groupId: first.groupId, pointId: POINT }, signal)
await agent.release(first.groupId, signal)
await shell(`dd if=/dev/urandom of=${HOME} bs=64k count=2 seek=16 conv=fsync,notrunc status=none`)
const second = await freeze(agent, HOME, POINT)
assert.equal(await changes(agent, imageOf(second)), 2 * 64 * 1024)
say('a sound pool that is repaired goes on')

// One whose mappings are others makes the image none, and the base too.
await loseMappings()
const said = { code: 'IMAGE_LOST', message: /its pool was repaired or exchanged meanwhile/ }
await assert.rejects(identify(agent, imageOf(second)), said)
await assert.rejects(identify(agent, imageOf(second)), said)
await agent.release(second.groupId, signal)
const third = await freeze(agent, HOME, POINT)
await assert.rejects(changes(agent, imageOf(third)), {
  code: 'CHANGES_UNKNOWN',
  message: /its pool was repaired or exchanged since/,
})
assert.equal(await identify(agent, imageOf(third)), 0)
await agent.release(third.groupId, signal)
say('a pool that lost mappings is noticed')
