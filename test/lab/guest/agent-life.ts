// Runs in a guest: an agent and, beside it, a mover that reads the disks where the agent's map says. See ../agent-host.test.ts.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

import { releaseAbandoned } from '../../../src/agent/release-abandoned.ts'
import type { Extent } from '../../../src/domain/extent.ts'
import { endOf, type Range } from '../../../src/domain/range.ts'
import { ExtentTable } from '../../../src/extents/extent-table.ts'
import { findDisk, type FoundDisk } from '../../../src/linux/find-disk.ts'
import { hostLvm } from '../../../src/linux/lvm/lvm-tools.ts'
import type { AgentApi, FrozenByAgent, ImageOfAgent } from '../../../src/rpc/agent-api.ts'
import { agentParts, freeze, openAgent, say } from './agent-in-process.ts'

const PIECE = 64 * 1024
const { signal } = new AbortController()
const run = promisify(execFile)

/** What a mover knows of an image: its map of one epoch, and the disks that it found. */
class Mover implements AsyncDisposable {
  readonly #agent: AgentApi
  readonly #image: ImageOfAgent
  readonly #disks: readonly FoundDisk[]
  #extents: readonly Extent[] = []
  epoch = ''

  constructor(agent: AgentApi, image: ImageOfAgent, disks: readonly FoundDisk[]) {
    this.#agent = agent
    this.#image = image
    this.#disks = disks
  }

  static async open(agent: AgentApi, { images }: FrozenByAgent): Promise<Mover> {
    const [image] = images
    assert.ok(image !== undefined && image.devices.length > 0, JSON.stringify(images))
    const mover = new Mover(agent, image, await Promise.all(image.devices.map(findDisk)))
    const extents: Extent[] = []
    for await (const part of agent.extents({ imageId: image.imageId, startingOffset: 0 }, signal)) {
      extents.push(...part.extents)
      mover.epoch = part.epoch
    }
    await mover.#set(extents)
    return mover
  }

  /** Brings the map up to date from `epoch`, and tells how many bytes lie elsewhere. */
  async identify(epoch: string): Promise<{ readonly epoch: string; readonly altered: readonly Extent[] }> {
    const altered: Extent[] = []
    let newest = ''
    const from = { imageId: this.#image.imageId, startingOffset: 0, epoch }
    for await (const part of this.#agent.identify(from, signal)) {
      altered.push(...part.extents)
      newest = part.epoch
    }
    return { epoch: newest, altered }
  }

  async follow({
    epoch,
    altered,
  }: {
    readonly epoch: string
    readonly altered: readonly Extent[]
  }): Promise<void> {
    const old = await ExtentTable.read([this.#extents], { sizeBytes: this.#image.sizeBytes })
    const patched: Extent[] = []
    let at = 0
    for (const extent of altered) {
      if (extent.offset > at) patched.push(...old.extentsIn({ offset: at, length: extent.offset - at }))
      patched.push(extent)
      at = endOf(extent)
    }
    const end = this.#image.sizeBytes
    if (at < end) patched.push(...old.extentsIn({ offset: at, length: end - at }))
    await this.#set(patched)
    this.epoch = epoch
  }

  /** Every piece that holds data, read on the disks, and as the agent's system shows it. */
  async wrongPieces(): Promise<number> {
    const key = randomBytes(32)
    const pieces = this.#extents.flatMap(piecesOf)
    let wrong = 0
    for (let at = 0; at < pieces.length; at += 512) {
      const some = pieces.slice(at, at + 512)
      const ranges: readonly Range[] = some.map(({ offset, length }) => ({ offset, length }))
      const told = await this.#agent.challenge({ imageId: this.#image.imageId, key, ranges }, signal)
      for (const [index, piece] of some.entries()) {
        const disk = this.#disks[piece.device]
        assert.ok(disk)
        const bytes = new Uint8Array(piece.length)
        await disk.image().readInto(bytes, piece.physicalOffset)
        const own = createHmac('sha256', key).update(bytes).digest()
        if (!own.equals(told[index] ?? new Uint8Array())) wrong += 1
      }
    }
    assert.ok(pieces.length > 10, String(pieces.length))
    return wrong
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const disk of this.#disks) await disk[Symbol.asyncDispose]()
  }

  async #set(extents: readonly Extent[]): Promise<void> {
    const { sizeBytes } = this.#image
    const table = await ExtentTable.read([extents], { sizeBytes })
    this.#extents = [...table.extentsIn({ offset: 0, length: sizeBytes })]
  }
}

function piecesOf(extent: Extent): Extract<Extent, { kind: 'data' }>[] {
  if (extent.kind !== 'data') return []
  const pieces: Extract<Extent, { kind: 'data' }>[] = []
  for (let at = 0; at < extent.length; at += PIECE) {
    const { offset, physicalOffset } = extent
    const length = Math.min(PIECE, extent.length - at)
    pieces.push({ ...extent, offset: offset + at, physicalOffset: physicalOffset + at, length })
  }
  return pieces
}

function lengthOf(extents: readonly Extent[]): number {
  return extents.reduce((sum, { length }) => sum + length, 0)
}

async function activeSnapshots(): Promise<readonly string[]> {
  const volumes = await hostLvm.listVolumes(signal)
  return volumes.flatMap(({ name, isActive }) => (name.startsWith('icecore-') ? [`${isActive}`] : []))
}

/** The pool's data moves to another disk in the middle; then the image is kept, and the next one says what changed. */
async function thin(): Promise<void> {
  const point = 'cd'.repeat(32)
  await using agent = openAgent()
  const first = await freeze(agent, '/dev/vg0/home', point)
  assert.equal(first.images[0]?.base, 'lost')
  await using mover = await Mover.open(agent, first)
  const before = mover.epoch
  assert.equal(await mover.wrongPieces(), 0)
  assert.deepEqual(await mover.identify(before), { epoch: before, altered: [] })
  await run('pvmove', ['--name', 'pool_tdata', '/dev/sda', '/dev/sdb'])
  const moved = await mover.identify(before)
  assert.notEqual(moved.epoch, before)
  assert.ok(lengthOf(moved.altered) > 0)
  // The answer was lost: the same question again.
  assert.deepEqual(await mover.identify(before), moved)
  await mover.follow(moved)
  assert.equal(await mover.wrongPieces(), 0)
  assert.deepEqual(await mover.identify(mover.epoch), { epoch: mover.epoch, altered: [] })
  assert.deepEqual(await activeSnapshots(), ['true'])
  await agent.keep({ groupId: first.groupId, pointId: point }, signal)
  await agent.release(first.groupId, signal)
  assert.deepEqual(await activeSnapshots(), ['false'])

  await overwrite('/dev/vg0/home', [{ offset: PIECE, length: PIECE }])
  const second = await freeze(agent, '/dev/vg0/home', point)
  const [image] = second.images
  assert.equal(image?.base, 'held')
  const from = { imageId: image.imageId, startingOffset: 0, basePointId: point }
  const changed: Range[] = []
  for await (const batch of agent.delta(from, signal)) changed.push(...batch)
  assert.ok(changed.some(({ offset, length }) => offset <= PIECE && offset + length >= 2 * PIECE))
  // What the agent knows it does not read again; only production does something.
  await overwrite('/dev/vg0/home', [{ offset: 0, length: PIECE }])
  const { writeLatencyMs } = await agent.load(image.imageId, signal)
  assert.notEqual(writeLatencyMs, null)
  await agent.release(second.groupId, signal)
  say(`thin: ${lengthOf(moved.altered)} bytes moved`)
}

async function overwrite(path: string, ranges: readonly Range[]): Promise<void> {
  await using file = await open(path, 'r+')
  for (const { offset, length } of ranges) await file.write(randomBytes(length), 0, length, offset)
  await file.sync()
}

/** What is overwritten moves to the snapshot's store, again and again. */
async function classic(): Promise<void> {
  await using agent = openAgent()
  const frozen = await freeze(agent, '/dev/vg0/thick')
  assert.equal(frozen.images[0]?.provider, 'lvm')
  await using mover = await Mover.open(agent, frozen)
  const first = mover.epoch
  assert.equal(await mover.wrongPieces(), 0)
  const all: Extent[] = []
  for (const round of [1, 2, 3]) {
    await overwrite('/dev/vg0/thick', [
      { offset: round * 1024 * 1024, length: PIECE },
      { offset: 0, length: 4096 },
    ])
    const moved = await mover.identify(mover.epoch)
    all.push(...moved.altered)
    assert.ok(lengthOf(moved.altered) > 0, `round ${round}`)
    await mover.follow(moved)
    assert.equal(await mover.wrongPieces(), 0, `round ${round}`)
  }
  // Who slept through all of it gets all of it.
  await using late = await Mover.open(agent, frozen)
  const everything = await late.identify(first)
  assert.equal(everything.epoch, mover.epoch)
  assert.equal(lengthOf(everything.altered), lengthOf(all))
  await late.follow(everything)
  assert.equal(await late.wrongPieces(), 0)
  await agent.release(frozen.groupId, signal)
  say(`classic: ${lengthOf(all)} bytes moved`)
}

/** Holds images, one of them open, until it is killed. */
async function hold(): Promise<void> {
  const agent = openAgent()
  for (const source of ['/dev/vg0/home', '/dev/vg0/thick']) {
    const { images } = await freeze(agent, source)
    const [image] = images
    const ranges = [{ offset: 0, length: 4096 }]
    if (image !== undefined) {
      await agent.challenge({ imageId: image.imageId, key: randomBytes(32), ranges }, signal)
    }
  }
  say('held')
  for (;;) await sleep(1000)
}

async function restart(): Promise<void> {
  await releaseAbandoned(agentParts, signal)
  say(`left ${(await activeSnapshots()).length}`)
}

const steps: Readonly<Record<string, () => Promise<void>>> = { thin, classic, hold, restart }
for (const step of process.argv.slice(2)) await steps[step]?.()
