import { blockDisks } from '../../linux/doctor/block-disks.ts'
import { multipathState } from '../../linux/doctor/multipath-state.ts'
import type { Finding } from './finding.ts'
import { lookAtSource } from './look-at-source.ts'
import { checkMultipath } from './multipath-check.ts'
import { checkSource } from './source-check.ts'

/** What would become of the sources of an agent if they were to be frozen now, and how their disks are reached. */
export async function lookAtSources(
  paths: readonly string[],
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const disks = await blockDisks()
  for (const path of paths) {
    signal.throwIfAborted()
    findings.push(...checkSource(await lookAtSource(path, disks, signal)))
  }
  return [...findings, ...checkMultipath({ disks, ...(await multipathState()) })]
}
