import type { FileMap } from '../capture/file-map.ts'
import type { MappedVolume } from '../capture/source-map.ts'
import type { Extent } from '../domain/extent.ts'
import { layerNames, type MapReport } from './map-report.ts'

/** The map as the document of `--json`. */
export function mapJson(report: MapReport): unknown {
  const { images, map, files } = report
  return {
    images: images.map((image) => ({ ...image, holeBytes: image.sizeBytes - image.allocatedBytes })),
    volumes: map.volumes.map(volumeJson),
    unmapped: map.unmapped.map(({ name, what, reason }) => ({ name, what, reason })),
    findings: map.stack.findings,
    files: files.map(({ text, file }) => ({ path: text, ...fileJson(report, file) })),
  }
}

function volumeJson({ volume, sizeBytes, freeBytes, fragmentCount }: MappedVolume): unknown {
  return {
    name: volume.name,
    kind: volume.origin.kind,
    ...originJson(volume),
    sizeBytes,
    fragmentCount,
    freeBytes,
    usedBytes: sizeBytes - freeBytes,
    content: contentJson(volume),
  }
}

function originJson({ origin }: MappedVolume['volume']): object {
  switch (origin.kind) {
    case 'image':
      return { image: origin.index }
    case 'partition': {
      const { number, range, typeId, typeName, name, uuid } = origin.partition
      const partition = { number, offsetBytes: range.offset, typeId, typeName, name, uuid }
      return { on: [origin.disk.name], partition }
    }
    case 'logical-volume': {
      const { group, volume, devices, type } = origin
      const logicalVolume = {
        type,
        uuid: volume.uuid,
        group: { name: group.group.name, uuid: group.group.uuid, seqno: group.group.seqno },
        segmentCount: volume.segments.length,
      }
      return { on: devices.map((device) => device?.name ?? null), logicalVolume }
    }
  }
}

function contentJson({ content }: MappedVolume['volume']): unknown {
  switch (content.kind) {
    case 'partition-table':
      return { kind: content.kind, format: content.table.format, uuid: content.table.uuid }
    case 'file-system': {
      const { format, label, uuid, blockSizeBytes, sizeBytes, allocation, findings } = content.fileSystem
      const reason = allocation.proven ? null : allocation.reason
      return { kind: content.kind, format, label, uuid, blockSizeBytes, sizeBytes, reason, findings }
    }
    case 'physical-volume':
    case 'empty':
      return { kind: content.kind }
    case 'unmapped':
      return content
  }
}

function fileJson(report: MapReport, file: FileMap): object {
  const { node, on, dataBytes, zeroBytes, inlineBytes } = file
  return {
    volume: on.volume.name,
    format: on.fileSystem.format,
    inodeNumber: node.number,
    kind: node.kind,
    sizeBytes: node.sizeBytes,
    dataBytes,
    zeroBytes,
    inlineBytes,
    layers: layerNames(report, file),
    volumeExtentCount: file.volumeExtentCount,
    volumeFragmentCount: file.volumeFragmentCount,
    extentCount: file.extentCount,
    fragmentCount: file.fragmentCount,
    extents: file.extents.map(extentJson),
  }
}

function extentJson(extent: Extent): unknown {
  const { kind, offset, length } = extent
  if (extent.kind !== 'data') return { kind, offset, length }
  return { kind, offset, length, image: extent.device, physicalOffset: extent.physicalOffset }
}
