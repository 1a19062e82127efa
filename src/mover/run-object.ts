import type { ImageRoot } from '../domain/recovery-point.ts'
import { PLACES, TreeNode } from '../repository/tree-node.ts'
import type { TreeShape } from '../repository/tree-shape.ts'
import { readBaseNode, TreeWriter, type NodeSink, type TreeBase } from '../repository/tree-writer.ts'
import { isEmptyMask, isPlaceIn } from './leaf-mask.ts'
import { mapConcurrent } from '../domain/map-concurrent.ts'
import type { LeafPlan } from './plan-object.ts'
import type { SealLanes, SealOutcome } from './seal-lanes.ts'

/** Jobs that each lane has at hand, so that it never waits for the next. */
const JOBS_PER_LANE = 3

export type ObjectRun = {
  readonly source: number
  readonly shape: TreeShape
  readonly base: TreeBase | null
  readonly leaves: AsyncIterable<LeafPlan>
  readonly lanes: SealLanes
  readonly nodes: NodeSink
  /** Writes every leaf, also those that are as in the base: some of the base's nodes lie in packs that are given up. */
  readonly rewritesTree: boolean
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

type SettledLeaf = {
  readonly plan: LeafPlan
  readonly node: TreeNode
  readonly changedCount: number
  readonly outcome: SealOutcome | null
}

/** Reads what the plan says and writes the image's tree. Throws ChangeListRefuted at the first wrong witness. */
export async function runObject(run: ObjectRun): Promise<ObjectOutcome> {
  const tree = new TreeWriter(run.shape, run.base, run.nodes)
  const total = { readBytes: 0, zeroBytes: 0, changedChunkCount: 0, newChunkCount: 0, reusedChunkCount: 0 }
  const limit = run.lanes.count * JOBS_PER_LANE
  const isResized = run.base !== null && run.base.shape.chunkCount !== run.shape.chunkCount
  for await (const leaf of mapConcurrent(run.leaves, limit, (plan) => settleLeaf(run, plan))) {
    const isLast = leaf.plan.leafIndex === run.shape.leafCount - 1
    if (leaf.changedCount > 0 || run.rewritesTree || (isResized && isLast))
      await tree.setLeaf(leaf.plan.leafIndex, leaf.node)
    total.changedChunkCount += leaf.changedCount
    if (leaf.outcome === null) continue
    total.readBytes += leaf.outcome.readBytes
    total.zeroBytes += leaf.outcome.zeroBytes
    total.newChunkCount += leaf.outcome.newChunkCount
    total.reusedChunkCount += leaf.outcome.reusedChunkCount
    run.onLeaf(leaf.outcome.readBytes)
  }
  return { ...total, root: await tree.finish() }
}

async function settleLeaf(run: ObjectRun, plan: LeafPlan): Promise<SettledLeaf> {
  run.signal.throwIfAborted()
  const { leafIndex } = plan
  const base = run.base === null ? null : await readBaseNode(run.base, 0, leafIndex)
  const outcome = isEmptyMask(plan.read)
    ? null
    : await run.lanes.seal({
        source: run.source,
        leafIndex,
        read: plan.read,
        base: base === null ? null : { set: base.setMask(), ids: base.ids },
      })
  const node = mergedLeaf(plan, base, outcome)
  node.clearFrom(Math.min(PLACES, run.shape.chunkCount - leafIndex * PLACES))
  const differing = differingPlaces(base, node)
  const wrong = differing.filter((place) => isPlaceIn(plan.tested, place))
  if (wrong[0] !== undefined) {
    throw new ChangeListRefuted(wrong.length, (leafIndex * PLACES + wrong[0]) * run.shape.chunkSizeBytes)
  }
  return { plan, node, changedCount: differing.length, outcome }
}

/** The base's leaf, with what is in scope replaced by what was read, and by zeros where nothing was. */
function mergedLeaf(plan: LeafPlan, base: TreeNode | null, outcome: SealOutcome | null): TreeNode {
  const node = new TreeNode(0)
  for (let place = 0; place < PLACES; place += 1) {
    if (isPlaceIn(plan.scope, place)) {
      if (outcome === null || !isPlaceIn(outcome.set, place)) continue
      node.set(place, { id: outcome.ids.subarray(place * 32, place * 32 + 32), chunkCount: 1 })
    } else if (base?.isSet(place) === true) {
      node.set(place, { id: base.idAt(place), chunkCount: 1 })
    }
  }
  return node
}

function differingPlaces(base: TreeNode | null, node: TreeNode): number[] {
  const places: number[] = []
  for (let place = 0; place < PLACES; place += 1) {
    const before = base?.isSet(place) === true
    if (before !== node.isSet(place)) places.push(place)
    else if (before && Buffer.compare(base.idAt(place), node.idAt(place)) !== 0) places.push(place)
  }
  return places
}
