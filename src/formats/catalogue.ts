import type { Range } from '../domain/range.ts'
import type { FileKind, FileSystem } from './file-system.ts'

/** A part of a catalogue: what it says of some neighbouring names, and the contents of their files. */
export type CataloguePiece = {
  /** Tells it from the other pieces of its catalogue. */
  readonly key: Uint8Array
  /** Where it and the contents of its files lie, in an order of its own. Where these bytes are the same, so are they. */
  readonly ranges: readonly Range[]
}

/** A name, as its piece has it. */
export type CatalogueName = {
  /** The path of its folder, without a slash at its start; the root has neither that nor a name. */
  readonly parent: Uint8Array
  readonly name: Uint8Array
  readonly file:
    | { readonly kind: FileKind; readonly linkCount: number }
    /** Another name of a file: where its first one is, which has more than one link. */
    | { readonly kind: 'hard-link'; readonly parent: Uint8Array; readonly name: Uint8Array }
}

/** Which names are looked at. Paths and names as text: one character for each byte. */
export type NameChoice = {
  /** All names in these pieces. */
  readonly pieces: ReadonlySet<number>
  /** And these, by the path of their folder. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>
}

/**
 * How a set of files keeps its names: in pieces that can be told to be the same in two of them without being read.
 * Methods throw FormatError.
 */
export type Catalogue = {
  readonly pieces: readonly CataloguePiece[]
  /** In order; neighbours in one folder have the same `parent`. */
  namesIn(piece: number): Promise<readonly CatalogueName[]>
  /** The number under which the file system has a name; null when there is none. */
  numberOf(parent: Uint8Array, name: Uint8Array): Promise<number | null>
  /** The same files, in folders that show only the names of a choice. */
  showing(choice: NameChoice): FileSystem
}
