import type { StructValues } from '../../bytes/struct.ts'
import { readStructure } from '../read-structure.ts'
import { DEVICE_DETAILS, DEVICE_ID_END, INNER_VALUE_BYTES, MAPPING_BYTES } from './layout.ts'
import type { MetadataSource } from './load-nodes.ts'
import type { BlockRange } from './mapping-runs.ts'
import { openTree, treeLeaves } from './tree.ts'
import { keyAt, nodePlace, uint64At, type TreeKind, type TreeNode } from './tree-node.ts'

const DETAILS_BYTES = 24

export const DETAILS_TREE: TreeKind = {
  name: 'device details tree',
  leafValueBytes: DETAILS_BYTES,
  keyEnd: DEVICE_ID_END,
}

/** From a device's number to the root of its own mapping tree. */
export const DEVICES_TREE: TreeKind = {
  name: 'device mapping tree',
  leafValueBytes: INNER_VALUE_BYTES,
  keyEnd: DEVICE_ID_END,
}

/** From a block of a thin volume to a block of the data volume. A volume ends before byte 2^53. */
export function mappingTree(dataBlockBytes: number): TreeKind {
  return {
    name: 'mapping tree',
    leafValueBytes: MAPPING_BYTES,
    keyEnd: Math.floor(Number.MAX_SAFE_INTEGER / dataBlockBytes),
  }
}

export type DeviceDetails = StructValues<typeof DEVICE_DETAILS>

/** The details of all devices, by their number, ascending. */
export async function* readDetails(
  source: MetadataSource,
  root: number,
): AsyncGenerator<readonly [deviceId: number, DeviceDetails]> {
  const tree = await openTree(source, DETAILS_TREE, root)
  for await (const leaves of treeLeaves(source, tree, () => true)) {
    for (const leaf of leaves) {
      for (let index = 0; index < leaf.entryCount; index += 1)
        yield [keyAt(leaf, index), detailsAt(leaf, index)]
    }
  }
}

function detailsAt(leaf: TreeNode, index: number): DeviceDetails {
  const { view } = leaf
  const start = view.byteOffset + leaf.valuesAt + index * DETAILS_BYTES
  const bytes = new Uint8Array(view.buffer, start, DETAILS_BYTES)
  return readStructure(DEVICE_DETAILS, bytes, nodePlace(DETAILS_TREE, leaf.ref.block))
}

/** The roots of the mapping trees of the devices whose numbers are in `range`, ascending. */
export async function* readMappingRoots(
  source: MetadataSource,
  root: number,
  range: BlockRange,
): AsyncGenerator<readonly [deviceId: number, root: number]> {
  const tree = await openTree(source, DEVICES_TREE, root)
  const leaves = treeLeaves(source, tree, (ref) => ref.low < range.end && ref.high > range.begin)
  for await (const batch of leaves) {
    for (const leaf of batch) {
      for (let index = 0; index < leaf.entryCount; index += 1) {
        const deviceId = keyAt(leaf, index)
        if (deviceId < range.begin || deviceId >= range.end) continue
        yield [deviceId, uint64At(leaf.view, leaf.valuesAt + index * INNER_VALUE_BYTES)]
      }
    }
  }
}
