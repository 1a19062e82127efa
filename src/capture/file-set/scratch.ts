/** A file for what the catalogue of a file set says, until it is stored. */
export type Scratch = {
  /** Writes at the end; returns where. */
  append(bytes: Uint8Array): Promise<number>
}
