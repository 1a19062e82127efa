import type { HeldImage, HeldUse } from '../provider/held-image.ts'

/** What is kept on a snapshot itself, in LVM's tags: letters, digits and _+.-/=!:&# are allowed there. */
export type HeldTags = Pick<HeldImage, 'lineageKey' | 'use'> & {
  /** The UUID of the volume that was frozen. */
  readonly sourceUuid: string
}

/** What all our snapshots have. */
export const OWN_TAG = 'icecore'

const LINEAGE = 'icecore_lineage='
const SOURCE = 'icecore_source='
const LEASE = 'icecore_lease='
const OWNER = 'icecore_owner='
const POINT = 'icecore_point='
const MAPPINGS = 'icecore_mappings='

export function encodeHeldTags({ lineageKey, sourceUuid, use }: HeldTags): readonly string[] {
  return [OWN_TAG, `${LINEAGE}${lineageKey}`, `${SOURCE}${sourceUuid}`, ...useTags(use)]
}

/** What says what an image is for; the other tags never change. */
export function useTags(use: HeldUse): readonly string[] {
  if (use.kind === 'base') return [`${POINT}${use.pointId}`]
  return [`${LEASE}${Math.floor(use.leaseEndsAtMs / 1000)}`, `${OWNER}${use.owner}`]
}

/** What a base is known by inside of its pool, beside the tags that every image of ours has. */
export function mappingMarkTag(mark: string): string {
  return `${MAPPINGS}${mark}`
}

/** Null when the volume was tagged without one, or somebody changed it: then it says nothing. */
export function mappingMarkOf(tags: readonly string[]): string | null {
  return valueOf(tags, MAPPINGS)
}

/** Null for a volume that is none of ours, or whose tags somebody changed: then it is nobody's base. */
export function decodeHeldTags(tags: readonly string[]): HeldTags | null {
  const lineageKey = valueOf(tags, LINEAGE)
  const sourceUuid = valueOf(tags, SOURCE)
  const use = useOf(tags)
  if (!tags.includes(OWN_TAG) || lineageKey === null || sourceUuid === null || use === null) return null
  return { lineageKey, sourceUuid, use }
}

function useOf(tags: readonly string[]): HeldUse | null {
  const pointId = valueOf(tags, POINT)
  if (pointId !== null) return /^[0-9a-f]{64}$/.test(pointId) ? { kind: 'base', pointId } : null
  const seconds = valueOf(tags, LEASE)
  const owner = valueOf(tags, OWNER)
  if (seconds === null || owner === null || !/^[0-9]{1,12}$/.test(seconds)) return null
  return { kind: 'run', leaseEndsAtMs: Number(seconds) * 1000, owner }
}

function valueOf(tags: readonly string[], prefix: string): string | null {
  const [tag, ...others] = tags.filter((one) => one.startsWith(prefix))
  return tag === undefined || others.length > 0 ? null : tag.slice(prefix.length)
}
