// Makes one image of a set of files: its catalogue in a scratch file, and the map of where their contents lie.
import { encodeAttributes } from '../../formats/file-set/attribute-list.ts'
import type { FileSetOrigin } from '../../formats/file-set/catalogue-index.ts'
import type { EntryLink } from '../../formats/file-set/entry.ts'
import { ATTRIBUTES_SIZE_BYTES_MAX, PATH_SIZE_BYTES_MAX } from '../../formats/file-set/layout.ts'
import type { FileSetIndex } from '../../formats/file-set/read-index.ts'
import { pathOf } from '../../formats/file-set/sort-key.ts'
import type { FileNode } from '../../formats/file-system.ts'
import { FormatError } from '../../formats/format-error.ts'
import { findChosenFiles } from './chosen-files.ts'
import type { ExtentColumns } from './extent-columns.ts'
import { mapContent, type ContentSource } from './file-content.ts'
import { FileSetWriter, type NodeDraft } from './file-set-writer.ts'
import { UnreadableFiles } from './unreadable-files.ts'
import { isUnreadable, walkInOrder, type OrderedFile } from './walk-in-order.ts'

export type FileSetRequest = {
  readonly source: ContentSource
  /** Names from the root. */
  readonly paths: readonly (readonly Uint8Array[])[]
  readonly origin: FileSetOrigin
  readonly chunkSizeBytes: number
  readonly before: FileSetIndex | null
  /** The volume, for sentences. */
  readonly where: string
  readonly signal: AbortSignal
}

export type BuiltFileSet = {
  readonly sizeBytes: number
  /** Where its bytes lie: on the images of the source, and in the scratch file. */
  readonly extents: ExtentColumns
  /** Names, those of directories included. */
  readonly entryCount: number
  readonly unreadable: UnreadableFiles
}

/**
 * Lays the chosen files out as one image. Nothing of their contents is read. Throws SOURCE_MISSING and
 * SOURCE_UNREADABLE for a path that was chosen; a file below one that cannot be read is in `unreadable`. Memory: what
 * the map takes, the names of one directory, and a name for each file with several.
 */
export async function buildFileSet(request: FileSetRequest): Promise<BuiltFileSet> {
  const { source, chunkSizeBytes, before, where, signal } = request
  const { fileSystem, scratch, scratchDevice } = source
  const unreadable = new UnreadableFiles()
  const writer = new FileSetWriter({ chunkSizeBytes, scratch, scratchDevice, before })
  const links = new FirstNames()
  let entryCount = 0
  const chosen = await findChosenFiles(fileSystem, request.paths, { where, signal })
  const options = {
    where,
    signal,
    onUnreadable: (path: Uint8Array, error: Error) => unreadable.add(path, error.message),
  }
  for await (const files of walkInOrder(fileSystem, chosen, options)) {
    for (const file of files) {
      const { parent, name } = file
      const first = links.find(file.node)
      const draft = first ?? (await draftOf(request, file, unreadable))
      if (draft === null) continue
      if (first === null) links.remember(file)
      await writer.add({ parent, name, file: draft })
      entryCount += 1
    }
  }
  const sizeBytes = await writer.finish(request.origin)
  return { sizeBytes, extents: writer.extents, entryCount, unreadable }
}

/** Null for a file that cannot be read, which is then told. */
async function draftOf(
  { source, signal }: FileSetRequest,
  { parent, name, node }: OrderedFile,
  unreadable: UnreadableFiles,
): Promise<NodeDraft | null> {
  const path = (): Uint8Array => pathOf(parent, name)
  try {
    const target = node.kind === 'symlink' ? await source.fileSystem.readSymlink(node) : NO_BYTES
    if (target.byteLength > PATH_SIZE_BYTES_MAX) {
      const place = { structure: `symbolic link ${node.number}`, offsetBytes: 0 }
      throw new FormatError(
        place,
        `its target has ${target.byteLength} bytes, limit is ${PATH_SIZE_BYTES_MAX}`,
      )
    }
    const content = await mapContent(source, node, signal)
    const attributes = await attributesOf(source, node, (sentence) =>
      unreadable.add(path(), `stored without its extended attributes: ${sentence}`),
    )
    const { number, kind, mode, userId, groupId, linkCount, accessed, modified, changed, born, device } = node
    const generation = born === null ? node.generation : 0
    const times = { accessed, modified, changed, born }
    const sizeBytes = node.kind === 'symlink' ? target.byteLength : node.sizeBytes
    const owner = { mode, userId, groupId, linkCount, ...times }
    return { kind, number, generation, ...owner, sizeBytes, device, target, attributes, content }
  } catch (error) {
    if (!isUnreadable(error)) throw error
    unreadable.add(path(), error.message)
    return null
  }
}

const NO_BYTES = new Uint8Array(0)

/** Encoded; null where there are none, or none that can be kept. */
async function attributesOf(
  source: ContentSource,
  node: FileNode,
  onUnreadable: (sentence: string) => void,
): Promise<Uint8Array | null> {
  try {
    const attributes = await source.fileSystem.readAttributes(node)
    if (attributes.length === 0) return null
    const bytes = encodeAttributes(attributes)
    if (bytes.byteLength <= ATTRIBUTES_SIZE_BYTES_MAX) return bytes
    onUnreadable(`they take ${bytes.byteLength} bytes, limit is ${ATTRIBUTES_SIZE_BYTES_MAX}`)
  } catch (error) {
    if (!isUnreadable(error)) throw error
    onUnreadable(error.message)
  }
  return null
}

/** The first names of files that have several, until the last of them was met. */
class FirstNames {
  readonly #first = new Map<number, { readonly link: EntryLink; remaining: number }>()

  find(node: FileNode): EntryLink | null {
    const found = this.#first.get(node.number)
    if (found === undefined || node.kind === 'directory') return null
    found.remaining -= 1
    if (found.remaining === 0) this.#first.delete(node.number)
    return found.link
  }

  remember({ parent, name, node }: OrderedFile): void {
    if (node.kind === 'directory' || node.linkCount < 2) return
    const link = { kind: 'hard-link', parent, name } as const
    this.#first.set(node.number, { link, remaining: node.linkCount - 1 })
  }
}
