// Which names of two sets of files may differ. Pieces of their catalogues that lie at the same place, with the contents of
// their files, where the images are the same, say the same; only the others are read. What they leave open:
//
//   a folder whose piece is the same may lead to one that is not: it is shown, too
//   a further name says no more than where the first one is: those of files that changed are looked for
import type { Range } from '../domain/range.ts'
import type { Catalogue, CatalogueName, CataloguePiece } from '../formats/catalogue.ts'
import { ComparedFiles } from './changed-fields.ts'
import type { Side } from './moved-files.ts'
import { problemOf } from './problem-of.ts'
import type { ComparedSources } from './same-content.ts'

export type ComparedCatalogues = { readonly before: Catalogue; readonly after: Catalogue }

/** Beyond, all names are read, which then costs little more. */
const SHARE_OF_PIECES_MAX = 0.5
/** Of folders that have names in pieces that differ: what is held in memory. */
const FOLDERS_MAX = 256 * 1024

/**
 * The same sources, in which folders show only names that may differ, and those that lead to them: what is left out has
 * the same path in both, and is the same. Null when that would not save much. Throws FormatError.
 */
export async function changedCatalogues(
  sources: ComparedSources,
  catalogues: ComparedCatalogues,
): Promise<ComparedSources | null> {
  const { before, after } = catalogues
  const pieces = differingPieces(catalogues, sources.isUnchanged)
  const differingCount = pieces.before.size + pieces.after.size
  if (differingCount > SHARE_OF_PIECES_MAX * (before.pieces.length + after.pieces.length)) return null
  const finder = new NameFinder(sources, catalogues, pieces)
  if (!(await finder.readPieces())) return null
  await finder.findFurtherNames()
  const source = (side: Side): ComparedSources[Side] => ({
    image: sources[side].image,
    fileSystem: catalogues[side].showing({ pieces: pieces[side], names: finder.names }),
  })
  return { ...sources, before: source('before'), after: source('after') }
}

type Pieces = Readonly<Record<Side, ReadonlySet<number>>>

function differingPieces(
  { before, after }: ComparedCatalogues,
  isUnchanged: (range: Range) => boolean,
): Pieces {
  const known = new Map(before.pieces.map((piece, index) => [textOf(piece.key), { piece, index }]))
  const differing = { before: new Set(known.values().map(({ index }) => index)), after: new Set<number>() }
  for (const [index, piece] of after.pieces.entries()) {
    const same = known.get(textOf(piece.key))
    if (same !== undefined && isSamePlace(same.piece, piece) && piece.ranges.every(isUnchanged)) {
      differing.before.delete(same.index)
    } else differing.after.add(index)
  }
  return differing
}

function isSamePlace({ ranges: one }: CataloguePiece, { ranges: other }: CataloguePiece): boolean {
  return (
    one.length === other.length &&
    one.every(({ offset, length }, at) => offset === other[at]?.offset && length === other[at].length)
  )
}

/** A file with several names, in pieces that differ. */
type LinkedFile = {
  readonly first: CatalogueName
  readonly piece: number
  /** Names that were not met in those pieces. */
  missing: number
}

class NameFinder {
  /** To be shown beside what is in pieces that differ. */
  readonly names = new Map<string, Set<string>>()
  readonly #sources: ComparedSources
  readonly #catalogues: ComparedCatalogues
  readonly #pieces: Pieces
  /** By their paths. */
  readonly #linked = new Map<string, LinkedFile>()

  constructor(sources: ComparedSources, catalogues: ComparedCatalogues, pieces: Pieces) {
    this.#sources = sources
    this.#catalogues = catalogues
    this.#pieces = pieces
  }

  /** False when too many folders may differ. */
  async readPieces(): Promise<boolean> {
    for (const side of ['before', 'after'] as const) {
      for (const piece of this.#pieces[side]) {
        this.#sources.signal.throwIfAborted()
        let folder: Uint8Array | null = null
        for (const name of await this.#catalogues[side].namesIn(piece)) {
          if (name.parent !== folder) this.#showFolder(textOf(name.parent))
          folder = name.parent
          if (side === 'after') this.#noteLinks(name, piece)
        }
        if (this.names.size > FOLDERS_MAX) return false
      }
    }
    return true
  }

  /**
   * Of files that changed, in all pieces behind that of the first name, until there are as many as there are links. A
   * name that is in a piece that did not change is the same in both, and so is where it leads.
   */
  async findFurtherNames(): Promise<void> {
    const wanted = new Map<string, LinkedFile>()
    for (const [path, linked] of this.#linked) {
      if (linked.missing > 0 && (await this.#mayDiffer(linked.first))) wanted.set(path, linked)
    }
    const start = wanted.values().reduce((least, { piece }) => Math.min(least, piece), Infinity)
    const { after } = this.#catalogues
    for (let piece = start; piece < after.pieces.length && wanted.size > 0; piece += 1) {
      if (this.#pieces.after.has(piece)) continue
      this.#sources.signal.throwIfAborted()
      for (const { parent, name, file } of await after.namesIn(piece)) {
        if (file.kind !== 'hard-link') continue
        const path = pathOf(textOf(file.parent), textOf(file.name))
        const linked = wanted.get(path)
        if (linked === undefined) continue
        this.#show(textOf(parent), textOf(name))
        linked.missing -= 1
        if (linked.missing === 0) wanted.delete(path)
      }
    }
  }

  #noteLinks(first: CatalogueName, piece: number): void {
    const { parent, name, file } = first
    if (file.kind === 'hard-link') {
      const linked = this.#linked.get(pathOf(textOf(file.parent), textOf(file.name)))
      if (linked !== undefined) linked.missing -= 1
    } else if (file.kind !== 'directory' && file.linkCount > 1) {
      this.#linked.set(pathOf(textOf(parent), textOf(name)), { first, piece, missing: file.linkCount - 1 })
    }
  }

  /** Where the path leads to in both. */
  async #mayDiffer({ parent, name }: CatalogueName): Promise<boolean> {
    const { before, after } = this.#catalogues
    const numbers = [await before.numberOf(parent, name), await after.numberOf(parent, name)]
    const [was, is] = numbers
    // Then its other names came as well, and are in pieces that differ.
    if (was === undefined || was === null || is === undefined || is === null) return false
    try {
      const old = await this.#sources.before.fileSystem.readNode(was)
      const now = await this.#sources.after.fileSystem.readNode(is)
      if (old.kind !== now.kind) return true
      return (await new ComparedFiles(this.#sources).fieldsOf(old, now)).length > 0
    } catch (error) {
      if (problemOf(error, name) === null) throw error
      return true
    }
  }

  /** Shows what leads to a folder. */
  #showFolder(path: string): void {
    if (path === '') return
    const slash = path.lastIndexOf('/')
    this.#show(path.slice(0, Math.max(slash, 0)), path.slice(slash + 1))
  }

  #show(folder: string, name: string): void {
    const names = this.names.get(folder)
    if (names?.has(name) === true) return
    if (names === undefined) this.names.set(folder, new Set([name]))
    else names.add(name)
    this.#showFolder(folder)
  }
}

function pathOf(folder: string, name: string): string {
  return `${folder}/${name}`
}

/** One character for each byte. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
