import type { Extent } from '../domain/extent.ts'
import { endOf, type Range } from '../domain/range.ts'
import { cutExtent } from '../extents/cut-extent.ts'
import type { FileNode } from '../formats/file-system.ts'
import { filePieces, type FileSource } from './file-pieces.ts'

/** The maps of this much of both files are held at a time. */
const WINDOW_BYTES = 1024 * 1024 * 1024
/** Read and compared at a time: most files that differ do so early. */
const COMPARE_BYTES = 256 * 1024

export type ComparedSources = {
  readonly before: FileSource
  readonly after: FileSource
  /** Whether a range of both volumes is surely the same; then it is not read. */
  readonly isUnchanged: (range: Range) => boolean
  readonly signal: AbortSignal
}

/** Whether two files have the same bytes. Reads only what lies where the images differ, or at different places. */
export async function isSameContent(
  sources: ComparedSources,
  before: FileNode,
  after: FileNode,
): Promise<boolean> {
  if (before.sizeBytes !== after.sizeBytes) return false
  for (let offset = 0; offset < after.sizeBytes; offset += WINDOW_BYTES) {
    const window = { offset, length: Math.min(WINDOW_BYTES, after.sizeBytes - offset) }
    const first = await extentsOf(sources, { side: 'before', node: before }, window)
    const second = await extentsOf(sources, { side: 'after', node: after }, window)
    for (const range of suspectRanges(first, second, sources)) {
      if (!(await isSameRange(sources, { before, after }, range))) return false
    }
  }
  return true
}

async function extentsOf(
  sources: ComparedSources,
  file: { readonly side: 'before' | 'after'; readonly node: FileNode },
  window: Range,
): Promise<Extent[]> {
  const extents: Extent[] = []
  const { fileSystem } = sources[file.side]
  for await (const batch of fileSystem.fileExtents(file.node, window, sources.signal)) {
    for (const extent of batch) extents.push(extent)
  }
  return extents
}

/** The parts of two maps of one range that may have different bytes. */
function* suspectRanges(
  first: readonly Extent[],
  second: readonly Extent[],
  sources: ComparedSources,
): Generator<Range> {
  let [a, b] = [0, 0]
  for (;;) {
    const [one, other] = [first[a], second[b]]
    if (one === undefined || other === undefined) return
    const offset = Math.max(one.offset, other.offset)
    const end = Math.min(endOf(one), endOf(other))
    const range = { offset, length: end - offset }
    if (range.length > 0 && !isSurelySame(cutExtent(one, range), cutExtent(other, range), sources))
      yield range
    if (endOf(one) === end) a += 1
    if (endOf(other) === end) b += 1
  }
}

function isSurelySame(one: Extent, other: Extent, { isUnchanged }: ComparedSources): boolean {
  if (one.kind === 'zero' && other.kind === 'zero') return true
  if (one.kind === 'inline' && other.kind === 'inline') return Buffer.compare(one.bytes, other.bytes) === 0
  if (one.kind !== 'data' || other.kind !== 'data' || one.physicalOffset !== other.physicalOffset)
    return false
  return isUnchanged({ offset: one.physicalOffset, length: one.length })
}

async function isSameRange(
  sources: ComparedSources,
  nodes: { readonly before: FileNode; readonly after: FileNode },
  range: Range,
): Promise<boolean> {
  const { signal } = sources
  for (let done = 0; done < range.length; done += COMPARE_BYTES) {
    const part = { offset: range.offset + done, length: Math.min(COMPARE_BYTES, range.length - done) }
    const [one, other] = [new Uint8Array(part.length), new Uint8Array(part.length)]
    await fill(one, filePieces(sources.before, nodes.before, { range: part, signal }), part)
    await fill(other, filePieces(sources.after, nodes.after, { range: part, signal }), part)
    if (Buffer.compare(one, other) !== 0) return false
  }
  return true
}

async function fill(target: Uint8Array, pieces: ReturnType<typeof filePieces>, part: Range): Promise<void> {
  for await (const piece of pieces) {
    if (piece.kind === 'data') target.set(piece.bytes, piece.offset - part.offset)
  }
}
