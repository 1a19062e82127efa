import type { ImageRoot } from '../domain/recovery-point.ts'
import { PLACES, TreeNode } from '../repository/tree-node.ts'
import type { TreeShape } from '../repository/tree-shape.ts'
import { readBaseNode, TreeWriter, type NodeSink, type TreeBase } from '../repository/tree-writer.ts'
import { isEmptyMask, isPlaceIn } from './leaf-mask.ts'
import { mapConcurrent } from '../domain/map-concurrent.ts'
import type { LeafPlan } from './plan-object.ts'
import type { SealLanes, SealOutcome } from './seal-lanes.ts'
import { settleMoved, type Identify } from './settle-moved.ts'

/** Jobs that each lane has at hand, so that it never waits for the next. */
const JOBS_PER_LANE = 3
/** Leaves that are read between two questions whether something moved: 4 MiB of ids, 8 GiB of an image. */
const WINDOW_LEAVES = 256

export type ObjectRun = {
  readonly source: number
  readonly shape: TreeShape
  readonly base: TreeBase | null
  readonly leaves: AsyncIterable<LeafPlan>
  readonly lanes: SealLanes
  readonly nodes: NodeSink
  /** Writes every leaf, also those that are as in the base: some of the base's nodes lie in packs that are given up. */
  readonly rewritesTree: boolean
  /** Null for an image whose extents cannot move. */
  readonly identify: Identify | null
  readonly onLeaf: (readBytes: number) => void
  readonly signal: AbortSignal
}

export type ObjectOutcome = {
  readonly root: ImageRoot
  readonly readBytes: number
  readonly zeroBytes: number
  readonly changedChunkCount: number
  readonly newChunkCount: number
  readonly reusedChunkCount: number
  /** What was read again because it had moved. */
  readonly movedBytes: number
}

/** A witness differed from the base: the change list is wrong. */
export class ChangeListRefuted extends Error {
  readonly mismatchCount: number
  readonly offsetBytes: number

  constructor(mismatchCount: number, offsetBytes: number) {
    super(`${mismatchCount} chunks outside the change list differ from the base, the first at ${offsetBytes}`)
    this.name = 'ChangeListRefuted'
    this.mismatchCount = mismatchCount
    this.offsetBytes = offsetBytes
  }
}

/** A leaf that was read, and may have been read where its bytes lie no more. */
export type ReadLeaf = {
  readonly plan: LeafPlan
  readonly base: TreeNode | null
  readonly node: TreeNode
  readonly outcome: SealOutcome | null
  readonly movedBytes: number
}

/** Reads what the plan says and writes the image's tree. Throws ChangeListRefuted at the first wrong witness. */
export async function runObject(run: ObjectRun): Promise<ObjectOutcome> {
  const tree = new TreeWriter(run.shape, run.base, run.nodes)
  const total = {
    readBytes: 0,
    zeroBytes: 0,
    changedChunkCount: 0,
    newChunkCount: 0,
    reusedChunkCount: 0,
    movedBytes: 0,
  }
  const isResized = run.base !== null && run.base.shape.chunkCount !== run.shape.chunkCount
  const isNeeded = (leafIndex: number): boolean => isResized && leafIndex === run.shape.leafCount - 1
  const plans = withoutHoles(run, isNeeded)
  for await (const leaf of run.identify === null
    ? readLeaves(run, plans)
    : readStill({ ...run, leaves: plans }, run.identify)) {
    const { leafIndex } = leaf.plan
    const changedCount = countChanged(run, leaf)
    if (changedCount > 0 || run.rewritesTree || isNeeded(leafIndex)) await tree.setLeaf(leafIndex, leaf.node)
    total.changedChunkCount += changedCount
    if (leaf.outcome === null) continue
    total.readBytes += leaf.outcome.readBytes
    total.movedBytes += leaf.movedBytes
    total.zeroBytes += leaf.outcome.zeroBytes
    total.newChunkCount += leaf.outcome.newChunkCount
    total.reusedChunkCount += leaf.outcome.reusedChunkCount
    run.onLeaf(leaf.outcome.readBytes)
  }
  return { ...total, root: await tree.finish() }
}

/** A leaf that is a hole now and was one in the base stays one: of a large volume most are, and they cost memory. */
async function* withoutHoles(
  { leaves, base }: ObjectRun,
  isNeeded: (leafIndex: number) => boolean,
): AsyncGenerator<LeafPlan> {
  for await (const plan of leaves) {
    const { leafIndex, read } = plan
    const isHole = isEmptyMask(read) && (base === null || (await readBaseNode(base, 0, leafIndex)) === null)
    if (!isHole || isNeeded(leafIndex)) yield plan
  }
}

function readLeaves(run: ObjectRun, plans: AsyncIterable<LeafPlan>): AsyncGenerator<ReadLeaf> {
  return mapConcurrent(plans, run.lanes.count * JOBS_PER_LANE, (plan) => readLeaf(run, plan))
}

/** As `readLeaves`, for an image whose extents may move: what moved meanwhile is read again before it counts. */
async function* readStill(run: ObjectRun, identify: Identify): AsyncGenerator<ReadLeaf> {
  // The map may be older than the plan that was made of it.
  const moved = await identify(run.signal)
  if (moved !== null) await run.lanes.remap(run.source, moved.map)
  for await (const window of windowsOf(run.leaves)) {
    const leaves: ReadLeaf[] = []
    for await (const leaf of readLeaves(run, window)) leaves.push(leaf)
    yield* await settleMoved(leaves, {
      identify,
      shape: run.shape,
      remap: (map) => run.lanes.remap(run.source, map),
      readAgain: (leaf, places) => readAgain(run, leaf, places),
      signal: run.signal,
    })
  }
}

async function* windowsOf(leaves: AsyncIterable<LeafPlan>): AsyncGenerator<AsyncGenerator<LeafPlan>> {
  const iterator = leaves[Symbol.asyncIterator]()
  let next = await iterator.next()
  async function* window(): AsyncGenerator<LeafPlan> {
    for (let count = 0; count < WINDOW_LEAVES && next.done !== true; count += 1) {
      yield next.value
      next = await iterator.next()
    }
  }
  try {
    while (next.done !== true) yield window()
  } finally {
    await iterator.return?.()
  }
}

async function readLeaf(run: ObjectRun, plan: LeafPlan): Promise<ReadLeaf> {
  run.signal.throwIfAborted()
  const base = run.base === null ? null : await readBaseNode(run.base, 0, plan.leafIndex)
  const outcome = isEmptyMask(plan.read) ? null : await sealPlaces(run, { ...plan, base })
  return { plan, base, node: leafNode(run, { ...plan, before: base, outcome }), outcome, movedBytes: 0 }
}

/** Some places of a leaf anew; what else was read of it stays. */
async function readAgain(run: ObjectRun, leaf: ReadLeaf, places: Uint8Array): Promise<ReadLeaf> {
  run.signal.throwIfAborted()
  const { plan, base, node: before } = leaf
  const { leafIndex } = plan
  const outcome = await sealPlaces(run, { leafIndex, read: places, base })
  const node = leafNode(run, { leafIndex, scope: places, before, outcome })
  const movedBytes = leaf.movedBytes + outcome.readBytes
  return { plan, base, node, outcome: sumOf(leaf.outcome, outcome), movedBytes }
}

async function sealPlaces(
  run: ObjectRun,
  { leafIndex, read, base }: { leafIndex: number; read: Uint8Array; base: TreeNode | null },
): Promise<SealOutcome> {
  const known = base === null ? null : { set: base.setMask(), ids: base.ids }
  return await run.lanes.seal({ source: run.source, leafIndex, read, base: known })
}

/** Only the counts of the sum mean something: what is in the leaf is in its node. */
function sumOf(first: SealOutcome | null, second: SealOutcome): SealOutcome {
  if (first === null) return second
  return {
    ...second,
    readBytes: first.readBytes + second.readBytes,
    zeroBytes: first.zeroBytes + second.zeroBytes,
    newChunkCount: first.newChunkCount + second.newChunkCount,
    reusedChunkCount: first.reusedChunkCount + second.reusedChunkCount,
  }
}

function countChanged(run: ObjectRun, { plan, base, node }: ReadLeaf): number {
  const differing = differingPlaces(base, node)
  const wrong = differing.filter((place) => isPlaceIn(plan.tested, place))
  if (wrong[0] !== undefined) {
    throw new ChangeListRefuted(wrong.length, (plan.leafIndex * PLACES + wrong[0]) * run.shape.chunkSizeBytes)
  }
  return differing.length
}

type LeafParts = {
  readonly leafIndex: number
  readonly scope: Uint8Array
  readonly before: TreeNode | null
  readonly outcome: SealOutcome | null
}

/** The leaf as it was, with what is in scope replaced by what was read, and by zeros where nothing was. */
function leafNode(run: ObjectRun, { leafIndex, scope, before, outcome }: LeafParts): TreeNode {
  const node = before?.copy() ?? new TreeNode(0)
  for (let place = 0; place < PLACES; place += 1) {
    if (!isPlaceIn(scope, place)) continue
    if (outcome === null || !isPlaceIn(outcome.set, place)) node.clear(place)
    else node.set(place, { id: outcome.ids.subarray(place * 32, place * 32 + 32), chunkCount: 1 })
  }
  node.clearFrom(Math.min(PLACES, run.shape.chunkCount - leafIndex * PLACES))
  return node
}

function differingPlaces(base: TreeNode | null, node: TreeNode): number[] {
  const places: number[] = []
  const haveSameIds = base !== null && Buffer.compare(base.ids, node.ids) === 0
  for (let place = 0; place < PLACES; place += 1) {
    const before = base?.isSet(place) === true
    if (before !== node.isSet(place)) places.push(place)
    else if (before && !haveSameIds && Buffer.compare(base.idAt(place), node.idAt(place)) !== 0)
      places.push(place)
  }
  return places
}
