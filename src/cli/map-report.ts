import type { FileMap } from '../capture/file-map.ts'
import type { MappedVolume, SourceMap } from '../capture/source-map.ts'
import { formatByteSize } from '../domain/byte-size.ts'
import type { Extent } from '../domain/extent.ts'
import { renderTable } from './table.ts'
import type { TextStream } from './terminal.ts'
import { usageBar } from './usage-bar.ts'
import { drawTree, volumeTree } from './volume-tree.ts'
import { contentWords, originWords } from './volume-words.ts'

/** A disk of the source, as the system names it. */
export type MapImage = {
  readonly name: string
  readonly path: string
  readonly type: 'file' | 'device'
  readonly identity: string | null
  readonly sizeBytes: number
  /** Of an image file: what is no hole. */
  readonly allocatedBytes: number
}

export type MapReport = {
  readonly images: readonly MapImage[]
  readonly map: SourceMap
  readonly files: readonly { readonly text: string; readonly file: FileMap }[]
}

type Paint = TextStream['paint']

export function mapText(report: MapReport, paint: Paint): string {
  const tree = volumeTree(
    report.map,
    (volume) => volumeLines(report, volume, paint),
    ({ name, what, reason }) => [`${paint('bold', name)}  cannot be mapped (${what})`, reason],
  )
  const findings = report.map.stack.findings.map(
    ({ volume, structure, offsetBytes, found }) =>
      `note: ${volume === '' ? '' : `${volume}: `}${structure} at byte ${offsetBytes}: ${found}`,
  )
  const parts = [drawTree(tree), findings, ...report.files.map((file) => fileLines(report, file, paint))]
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

function volumeLines(report: MapReport, mapped: MappedVolume, paint: Paint): string[] {
  const { volume, sizeBytes, free, freeBytes } = mapped
  const image = volume.origin.kind === 'image' ? report.images[volume.origin.index] : undefined
  const title =
    image === undefined
      ? `${paint('bold', volume.name)}  ${formatByteSize(sizeBytes)}  ${originWords(volume)}`
      : `${paint('bold', image.path)}  ${formatByteSize(sizeBytes)}  ${imageWords(image)}`
  const bar = `${paint('cyan', usageBar(sizeBytes, free))} ${usageWords(sizeBytes, freeBytes)}`
  return [
    title,
    contentWords(volume, report.map.stack.groups),
    ...(freeBytes > 0 || hasFiles(mapped) ? [bar] : []),
  ]
}

function hasFiles({ volume }: MappedVolume): boolean {
  return volume.content.kind === 'file-system'
}

function imageWords({ type, identity, sizeBytes, allocatedBytes }: MapImage): string {
  if (type === 'device') return identity === null ? 'device without a name of its own' : `device ${identity}`
  const holes = sizeBytes - allocatedBytes
  return holes === 0 ? 'image file' : `image file, ${formatByteSize(holes)} of it holes`
}

function usageWords(sizeBytes: number, freeBytes: number): string {
  return `${formatByteSize(sizeBytes - freeBytes)} in use, ${formatByteSize(freeBytes)} free`
}

function fileLines(report: MapReport, { text, file }: MapReport['files'][number], paint: Paint): string[] {
  const { node, on } = file
  const where = on.volume.name === '' ? '' : ` on ${on.volume.name}`
  const lines = [
    `${paint('bold', text)}  ${formatByteSize(node.sizeBytes)}  ${node.kind}, inode ${node.number} of ${on.fileSystem.format}${where}`,
  ]
  if (node.kind !== 'file') return lines
  lines.push(`  ${kindWords(file)}`)
  const chain = layerNames(report, file).join(' → ')
  lines.push(
    `  ${chain}: ${counted(file.volumeExtentCount, 'extent')} in ${counted(file.volumeFragmentCount, 'fragment')} of the volume, ` +
      `${counted(file.extentCount, 'extent')} in ${counted(file.fragmentCount, 'fragment')} of the disks`,
  )
  if (file.extents.length > 0) lines.push(...extentTable(report, file.extents, paint))
  const more = file.extentCount - file.extents.length
  if (more > 0 && file.extents.length > 0) lines.push(`  and ${counted(more, 'more extent')} (--extents N)`)
  return lines
}

function kindWords({ dataBytes, zeroBytes, inlineBytes }: FileMap): string {
  const parts = [
    [dataBytes, 'data'],
    [zeroBytes, 'zeros that take no data (holes, unwritten)'],
    [inlineBytes, 'in its own metadata'],
  ] as const
  const found = parts.filter(([bytes]) => bytes > 0)
  if (found.length === 0) return 'empty'
  return found.map(([bytes, what]) => `${formatByteSize(bytes)} ${what}`).join(', ')
}

/** From the file system down to the images. */
export function layerNames(report: MapReport, { on }: FileMap): string[] {
  const names: string[] = []
  let volumes = [on.volume]
  while (volumes.length > 0) {
    names.push([...new Set(volumes.map((volume) => volumeName(report, volume)))].join(' + '))
    volumes = volumes.flatMap(({ origin }) => {
      if (origin.kind === 'image') return []
      if (origin.kind === 'partition') return [origin.disk]
      return origin.devices.filter((device) => device !== null)
    })
  }
  return names
}

function volumeName(report: MapReport, { name, origin }: FileMap['on']['volume']): string {
  return origin.kind === 'image' ? (report.images[origin.index]?.name ?? name) : name
}

function extentTable(report: MapReport, extents: readonly Extent[], paint: Paint): string[] {
  const columns = [
    { title: 'at', align: 'right' },
    { title: 'length', align: 'right' },
    { title: 'lies' },
    { title: 'at byte', align: 'right' },
  ] as const
  const rows = extents.map((extent) => [
    String(extent.offset),
    String(extent.length),
    extent.kind === 'data' ? (report.images[extent.device]?.name ?? '') : LIES[extent.kind],
    extent.kind === 'data' ? String(extent.physicalOffset) : '',
  ])
  return renderTable(columns, rows, (title) => paint('dim', title))
    .split('\n')
    .map((line) => `  ${line}`)
}

const LIES = { zero: 'nowhere, zeros', inline: 'in the metadata of the file' } as const

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
