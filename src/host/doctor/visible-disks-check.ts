import type { DeviceIdentity } from '../../domain/device-identity.ts'
import { formatByteSize } from '../../domain/byte-size.ts'
import { type Finding, listed, ok, warning, wrong } from './finding.ts'
import type { DiskPair } from './seen-disk.ts'

/**
 * Whether the agent's disks are seen here. Which of them its sources lie on only shows in a backup: as long as some are
 * seen, the others may be those that the agent's host starts from.
 */
export function checkVisibleDisks(pairs: readonly DiskPair[], agent: string): readonly Finding[] {
  const name = 'disks-seen'
  if (pairs.length === 0) {
    const sentence = `Agent ${agent} sees no disk`
    return [wrong(name, { sentence, advice: `Run \`icecore agent doctor\` on ${agent}`, stops: 'san' })]
  }
  const seen = pairs.filter(({ found }) => found.length > 0)
  const nameless = pairs.filter(({ wanted }) => wanted.name === null)
  const unseen = pairs.filter(({ wanted, found }) => wanted.name !== null && found.length === 0)
  const findings: Finding[] = []
  if (seen.length === 0) {
    const sentence = `None of the ${pairs.length} disks of agent ${agent} is seen here: backups go through the agent (lan)`
    const advice = `Map the LUN that its volumes lie on to this host too, and rescan: ${listed(pairs.map(describe), 3)}`
    return [wrong(name, { sentence, advice, stops: 'san' })]
  }
  findings.push(ok(name, `Seen here: ${seen.length} of ${pairs.length} disks of agent ${agent}`))
  if (unseen.length > 0) {
    const sentence = `Not seen here: ${listed(unseen.map(describe))}; what lies on them goes through the agent (lan)`
    findings.push(
      warning(name, sentence, 'Map these LUNs to this host too, if there are volumes on them to back up'),
    )
  }
  if (nameless.length > 0) {
    const sentence = `${nameless.length} disks of agent ${agent} have no name that another host could find them by`
    findings.push(
      warning(name, sentence, 'Give virtual disks a serial, or move the volumes to a disk that has a name'),
    )
  }
  return findings
}

function describe({ wanted }: { readonly wanted: DeviceIdentity }): string {
  return `${wanted.name ?? 'a disk without a name'} (${formatByteSize(wanted.sizeBytes)})`
}
