import { formatByteSize } from '../domain/byte-size.ts'
import type { StackGroup, Volume } from '../formats/volume-stack/volume.ts'

/** What makes a volume one, in words: `partition "root" (Linux filesystem)`. */
export function originWords({ origin }: Volume): string {
  switch (origin.kind) {
    case 'image':
      return 'image'
    case 'partition': {
      const { name, typeName, typeId } = origin.partition
      return `partition${name === '' ? '' : ` "${name}"`} (${typeName ?? typeId})`
    }
    case 'logical-volume': {
      const count = origin.volume.segments.length
      const names = origin.devices.map((device) => device?.name ?? 'missing').filter(unique)
      const kind =
        origin.type === 'segments' ? `${count} ${count === 1 ? 'segment' : 'segments'}` : origin.type
      return `logical volume (${kind} on ${names.map((name) => name || 'the image').join(', ')})`
    }
  }
}

/** What lies on a volume, in words. */
export function contentWords(volume: Volume, groups: readonly StackGroup[]): string {
  const { content } = volume
  switch (content.kind) {
    case 'partition-table':
      return `${content.table.format === 'gpt' ? 'GUID' : 'MBR'} partition table ${content.table.uuid}`
    case 'physical-volume':
      return physicalVolumeWords(groups.find(({ devices }) => devices.includes(volume)))
    case 'file-system': {
      const { format, label, blockSizeBytes, uuid, allocation } = content.fileSystem
      const named = label === '' ? '' : ` "${label}"`
      const proof = allocation.proven ? '' : `; nothing is proven free: ${allocation.reason}`
      return `${format}${named}, blocks of ${formatByteSize(blockSizeBytes)}, ${uuid}${proof}`
    }
    case 'empty':
      return 'nothing: zeros wherever a known format has its mark'
    case 'unmapped':
      return `${content.what}, all of it is data: ${content.reason}`
  }
}

function physicalVolumeWords(found: StackGroup | undefined): string {
  if (found === undefined) return 'LVM2 physical volume of no volume group that can be put together'
  const { name, physicalVolumes } = found.group
  const missing = found.devices.filter((device) => device === null).length
  const others = missing === 0 ? '' : `, ${missing} of whose ${physicalVolumes.length} disks are missing here`
  return `LVM2 physical volume of volume group "${name}"${others}`
}

function unique(name: string, index: number, names: readonly string[]): boolean {
  return names.indexOf(name) === index
}
