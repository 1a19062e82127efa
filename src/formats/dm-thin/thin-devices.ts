import { addFinding } from '../add-finding.ts'
import { FormatError } from '../format-error.ts'
import { DETAILS_TREE, readDetails, readMappingRoots, type DeviceDetails } from './device-trees.ts'
import { DEVICE_ID_END } from './layout.ts'
import type { ThinPool } from './thin-pool.ts'
import { nodePlace } from './tree-node.ts'

/** More volumes than any pool has; beyond it the list does not fit into memory. */
const DEVICES_MAX = 2 ** 18

/** A volume of a pool. Its size is not here: the table of its device, LVM's metadata, says it. */
export type ThinDevice = DeviceDetails & { readonly deviceId: number }

/** The volumes of a pool by device number. One that only one of the two trees names becomes a finding. */
export async function listThinDevices(pool: ThinPool, signal: AbortSignal): Promise<readonly ThinDevice[]> {
  const source = { image: pool.image, signal }
  const detailsPlace = nodePlace(DETAILS_TREE, pool.roots.detailsRoot)
  const devices: ThinDevice[] = []
  for await (const [deviceId, details] of readDetails(source, pool.roots.detailsRoot)) {
    if (devices.length === DEVICES_MAX) {
      throw new FormatError(detailsPlace, `it has more than ${DEVICES_MAX} devices`)
    }
    devices.push({ deviceId, ...details })
  }
  const unmapped = new Set(devices.map((device) => device.deviceId))
  const everything = { begin: 0, end: DEVICE_ID_END }
  for await (const [deviceId] of readMappingRoots(source, pool.roots.mappingRoot, everything)) {
    if (unmapped.delete(deviceId)) continue
    addFinding(pool.findings, detailsPlace, `device ${deviceId} has mappings, and no details`)
  }
  for (const deviceId of unmapped) {
    addFinding(pool.findings, detailsPlace, `device ${deviceId} has details, and no mapping tree`)
  }
  return devices
}
