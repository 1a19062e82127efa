/** Where a structure lies, for the sentence and for programs. Offsets are bytes from the start of the image at hand. */
export type StructurePlace = {
  /** Such as "ext4 group descriptor 12". */
  readonly structure: string
  readonly offsetBytes: number
}

/**
 * A structure is not what its format demands. The sentence names it, where it lies, what was found and what is
 * expected: `Cannot read ext4 superblock at byte 1024: magic is 0x0, expected 0xef53`. The operation that asked
 * turns it into a BackupError that names the volume.
 */
export class FormatError extends SyntaxError {
  readonly structure: string
  readonly offsetBytes: number
  /** The end of the sentence, for a Finding. */
  readonly found: string

  constructor(place: StructurePlace, found: string) {
    super(`Cannot read ${place.structure} at byte ${place.offsetBytes}: ${found}`)
    this.name = 'FormatError'
    this.structure = place.structure
    this.offsetBytes = place.offsetBytes
    this.found = found
  }
}

/**
 * The structure is sound, but it is of a kind that is not mapped: refused by its name, never guessed. What lies
 * there is data, and is read whole.
 */
export class UnmappedError extends Error {
  /** Such as "raid5 logical volume", "encrypted file". */
  readonly what: string

  constructor(what: string, message: string) {
    super(message)
    this.name = 'UnmappedError'
    this.what = what
  }
}
