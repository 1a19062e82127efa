import type { HeldImage } from '../provider/held-image.ts'
import type { LvmTools } from './lvm-tools.ts'
import { decodeHeldTags } from './held-tags.ts'
import type { LvmVolume } from '../../domain/logical-volume.ts'

/** A snapshot of ours, and how LVM sees it. */
export type HeldVolume = { readonly held: HeldImage; readonly volume: LvmVolume }

export type Costs = (volume: LvmVolume) => Promise<HeldImage['cost']>

/** Those of `volumes` that are ours, by their tags. */
export async function heldVolumes(
  provider: string,
  volumes: readonly LvmVolume[],
  cost: Costs,
): Promise<readonly HeldVolume[]> {
  const found: HeldVolume[] = []
  for (const volume of volumes) {
    const tags = decodeHeldTags(volume.tags)
    if (tags === null) continue
    const source = volumes.find(({ uuid }) => uuid === tags.sourceUuid)
    // Tags can be copied: a snapshot of our snapshot is another volume.
    if (source !== undefined && volume.originUuid !== source.uuid) continue
    const held: HeldImage = {
      provider,
      id: volume.uuid,
      label: pathOf(volume),
      source: source === undefined ? tags.sourceUuid : pathOf(source),
      lineageKey: tags.lineageKey,
      use: tags.use,
      createdAtMs: volume.createdAtMs,
      cost: await cost(volume),
    }
    found.push({ held, volume })
  }
  return found
}

/** As people name it: group/volume. */
export function pathOf({ groupName, name }: LvmVolume): string {
  return `${groupName}/${name}`
}

/** Removes the volume of that UUID, if it is ours still. */
export async function releaseVolume(tools: LvmTools, image: HeldImage, signal: AbortSignal): Promise<void> {
  const volume = (await tools.listVolumes(signal)).find(({ uuid }) => uuid === image.id)
  if (volume !== undefined) await tools.removeVolumes([volume], signal)
}
