import type { MappedVolume, SourceMap } from '../capture/source-map.ts'
import type { Volume } from '../formats/volume-stack/volume.ts'

/** A volume, or a logical volume that cannot be mapped, and what lies on it. */
export type TreeNode = {
  readonly lines: readonly string[]
  readonly children: readonly TreeNode[]
}

/**
 * The volumes as a tree: partitions below their disk, logical volumes below the first of the disks that they lie on.
 */
export function volumeTree(
  map: SourceMap,
  linesOf: (volume: MappedVolume) => readonly string[],
  unmappedLinesOf: (unmapped: SourceMap['unmapped'][number]) => readonly string[],
): TreeNode[] {
  const childrenOf = (parent: Volume | null): TreeNode[] => [
    ...map.volumes
      .filter((mapped) => parentOf(mapped.volume) === parent)
      .map((mapped) => ({ lines: linesOf(mapped), children: childrenOf(mapped.volume) })),
    ...map.unmapped
      .filter(({ group }) => parent !== null && firstDevice(group.devices) === parent)
      .map((unmapped) => ({ lines: unmappedLinesOf(unmapped), children: [] })),
  ]
  return childrenOf(null)
}

function parentOf({ origin }: Volume): Volume | null {
  switch (origin.kind) {
    case 'image':
      return null
    case 'partition':
      return origin.disk
    case 'logical-volume':
      return firstDevice(origin.devices)
  }
}

function firstDevice(devices: readonly (Volume | null)[]): Volume | null {
  return devices.find((device) => device !== null) ?? null
}

/** Draws trees with lines between parents and children; further lines of a node hang below its first. */
export function drawTree(nodes: readonly TreeNode[]): string[] {
  return nodes.flatMap((node) => drawNode(node, { first: '', rest: '' }))
}

function drawNode(node: TreeNode, prefix: { readonly first: string; readonly rest: string }): string[] {
  const stem = node.children.length > 0 ? '│' : ' '
  const lines = node.lines.map((line, index) =>
    index === 0 ? `${prefix.first}${line}` : `${prefix.rest}${stem}  ${line}`,
  )
  const children = node.children.flatMap((child, index) => {
    const isLast = index === node.children.length - 1
    return drawNode(child, {
      first: `${prefix.rest}${isLast ? '└─ ' : '├─ '}`,
      rest: `${prefix.rest}${isLast ? '   ' : '│  '}`,
    })
  })
  return [...lines, ...children]
}
