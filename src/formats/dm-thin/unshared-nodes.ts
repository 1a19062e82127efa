import type { NodeBatches } from './load-nodes.ts'
import { pushChildren, pushUnsharedChildren, type NodeRef, type TreeNode } from './tree-node.ts'

/** Children of one side that are not paired off yet, ascending. */
type Queue = { items: NodeRef[]; next: number }

/**
 * The nodes of one level that one of two trees has and the other has not, from both sides, ascending. `parents` are the
 * nodes one level up that remained; `roots` those roots of the two that are at this level. What both trees hold lies in
 * the same blocks with the same numbers, so a node that both name is the same node, and so is all below it.
 */
export async function* unsharedNodes(
  roots: readonly NodeRef[],
  parents: NodeBatches,
): AsyncGenerator<readonly NodeRef[]> {
  const queues: readonly [Queue, Queue] = [
    { items: roots.filter((ref) => ref.side === 0), next: 0 },
    { items: roots.filter((ref) => ref.side === 1), next: 0 },
  ]
  for await (const nodes of parents) {
    pushAll(nodes, queues)
    // Later nodes begin at or after the last one of this batch, and so do their children.
    const refs = pairOff(queues, nodes.at(-1)?.ref.low ?? 0)
    if (refs.length > 0) yield refs
  }
  const refs = pairOff(queues, Infinity)
  if (refs.length > 0) yield refs
}

/** The children of all; of nodes that come in pairs, one of each side, what both have is left out at once. */
function pushAll(nodes: readonly TreeNode[], [first, second]: readonly [Queue, Queue]): void {
  let one: TreeNode | undefined
  for (const node of nodes) {
    if (node.ref.side === 0) {
      if (one !== undefined) pushChildren(one, first.items)
      one = node
      continue
    }
    if (one?.ref.low === node.ref.low) pushUnsharedChildren([one, node], [first.items, second.items])
    else {
      if (one !== undefined) pushChildren(one, first.items)
      pushChildren(node, second.items)
    }
    one = undefined
  }
  if (one !== undefined) pushChildren(one, first.items)
}

/** Takes what lies below `limit` from both queues, and leaves out the nodes that both have. */
function pairOff([first, second]: readonly [Queue, Queue], limit: number): NodeRef[] {
  const refs: NodeRef[] = []
  for (;;) {
    const one = first.items[first.next]
    const other = second.items[second.next]
    if (one !== undefined && other !== undefined && one.block === other.block) {
      first.next += 1
      second.next += 1
      continue
    }
    const takeFirst = one !== undefined && one.low <= (other?.low ?? Infinity)
    const ref = takeFirst ? one : other
    if (ref === undefined || ref.low >= limit) break
    refs.push(ref)
    if (takeFirst) first.next += 1
    else second.next += 1
  }
  for (const queue of [first, second]) {
    queue.items = queue.items.slice(queue.next)
    queue.next = 0
  }
  return refs
}
