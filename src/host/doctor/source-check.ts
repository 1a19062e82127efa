import type { DiskTransport } from '../../linux/doctor/disk-transport.ts'
import { type Finding, listed, ok, type Stops, warning, wrong } from './finding.ts'

export type SourceDisk = {
  readonly path: string
  readonly name: string | null
  readonly sectorSizeBytes: number
  /** `local`: it is inside this host, and no other one sees it. */
  readonly transport: DiskTransport
}

/** What would become of an allowed source if it were to be frozen now. */
export type SourceFacts = {
  readonly path: string
  /** What would freeze it, or the sentence that says why nothing would. */
  readonly freezing:
    | { readonly kind: 'possible'; readonly provider: string; readonly why: string }
    | { readonly kind: 'impossible'; readonly reason: string }
  /** Why its pool or group has not the room; null when it has, or when none is needed. */
  readonly roomFailure: string | null
  /** What is built on disks has them; a file is always read through its host. */
  readonly disks: readonly SourceDisk[]
}

/** Whether the source can be frozen, and whether another host can then read its disks itself. */
export function checkSource(source: SourceFacts): readonly Finding[] {
  const { path, freezing, roomFailure } = source
  if (freezing.kind === 'impossible') {
    return [
      cannot(
        `"${path}" cannot be frozen: ${freezing.reason}`,
        'Put it on a logical volume, or take it out of the configuration',
      ),
    ]
  }
  if (roomFailure !== null) {
    return [
      cannot(
        roomFailure,
        'Extend the pool or the group, or release frozen images that nobody needs (`icecore images list`)',
      ),
    ]
  }
  const { provider, why } = freezing
  if (provider === 'device') {
    const sentence = `"${path}" would be read as it is, without being frozen: ${why}`
    return [
      warning(
        NAME,
        sentence,
        'Use it only for what stands still; what is written to belongs on a logical volume',
      ),
    ]
  }
  return [reach(source, `"${path}" is frozen by ${provider} (${why})`)]
}

const NAME = 'source'

function reach({ path, disks }: SourceFacts, sentence: string): Finding {
  if (disks.length === 0) {
    return warning(
      NAME,
      `${sentence}; its bytes go through this host (lan)`,
      'Nothing, if that is meant: only logical volumes can be read past this host',
    )
  }
  const nameless = disks.filter(({ name }) => name === null)
  if (nameless.length > 0) {
    const paths = nameless.map((disk) => disk.path).join(', ')
    const found = `${sentence}, and lies on ${paths}, which has no name that another host could find it by: backups go through this host (lan)`
    return cannot(
      found,
      'Give the virtual disk a serial or a WWN, or move the volume to a disk that has one (`pvmove`)',
      'san',
    )
  }
  const local = disks.filter(({ transport }) => transport === 'local')
  if (local.length > 0) {
    const found = `${sentence}, and lies on ${local.map((disk) => disk.path).join(', ')} inside this host, which no other host sees: backups go through this host (lan)`
    return warning(
      NAME,
      found,
      `Move "${path}" to a disk of the storage network (\`pvmove\`), if that is not meant`,
    )
  }
  const named = disks.map(describe)
  return ok(NAME, `${sentence}, on ${listed(named)}`)
}

function describe({ name, transport, sectorSizeBytes }: SourceDisk): string {
  return `${name} (${transport ?? 'by an unknown way'}, sectors of ${sectorSizeBytes} bytes)`
}

function cannot(sentence: string, advice: string, stops: Stops = 'source'): Finding {
  return wrong(NAME, { sentence, advice, stops })
}
