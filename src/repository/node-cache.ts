import type { NodeReader } from './node-reader.ts'
import type { TreeNode } from './tree-node.ts'

/** A node takes 10 KiB in memory. */
const NODES_MAX = 256

/** Keeps the nodes that were read last: the way down to neighbouring leaves is nearly the same. Do not change a node that it returns. */
export function cachedNodes(reader: NodeReader): NodeReader {
  const nodes = new Map<string, TreeNode>()
  return {
    async readNode(id, level) {
      const key = id.toHex()
      const cached = nodes.get(key)
      const node = cached?.level === level ? cached : await reader.readNode(id, level)
      nodes.delete(key)
      nodes.set(key, node)
      if (nodes.size > NODES_MAX) nodes.delete(nodes.keys().next().value ?? '')
      return node
    },
  }
}
