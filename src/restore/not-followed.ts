/** Why the changes between two file systems cannot be followed from their blocks: the folders are to be walked. */
export class NotFollowed extends Error {
  /** The end of a sentence. */
  readonly reason: string

  constructor(reason: string) {
    super(reason)
    this.name = 'NotFollowed'
    this.reason = reason
  }
}
