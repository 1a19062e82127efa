import type { FileNode } from '../formats/file-system.ts'
import type { TargetFolder } from './target-folder.ts'

type Made = { readonly names: readonly Uint8Array[]; readonly identity: string; remaining: number }

/** Which files with several names were made already, and where. Forgets each with its last name. */
export class HardLinks {
  readonly #root: TargetFolder
  readonly #made = new Map<number, Made>()

  constructor(root: TargetFolder) {
    this.#root = root
  }

  /** Makes one more name for a file that was made already; false when it was not, or is not there any more. */
  make(node: FileNode, place: { readonly folder: TargetFolder; readonly name: Uint8Array }): boolean {
    const made = this.#made.get(node.number)
    if (made === undefined) return false
    const isMade = this.#link(made, place)
    made.remaining -= 1
    if (!isMade || made.remaining === 0) this.#made.delete(node.number)
    return isMade
  }

  remember(
    node: FileNode,
    place: {
      readonly folder: TargetFolder
      readonly name: Uint8Array
      readonly names: readonly Uint8Array[]
    },
  ): void {
    if (node.kind === 'directory' || node.linkCount < 2 || this.#made.has(node.number)) return
    const identity = place.folder.lookUp(place.name)?.identity ?? ''
    this.#made.set(node.number, { names: place.names, identity, remaining: node.linkCount - 1 })
  }

  /** From the target on, folder by folder, following nothing: somebody may have put something else there. */
  #link(made: Made, place: { readonly folder: TargetFolder; readonly name: Uint8Array }): boolean {
    const name = made.names.at(-1)
    if (name === undefined) return false
    using opened = new DisposableStack()
    let folder = this.#root
    for (const each of made.names.slice(0, -1)) {
      if (folder.lookUp(each)?.kind !== 'directory') return false
      folder = opened.use(folder.openFolder(each))
    }
    if (folder.lookUp(name)?.identity !== made.identity) return false
    place.folder.makeHardLink(place.name, { folder, name })
    return true
  }
}
