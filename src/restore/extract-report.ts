import type { NotKept } from './target-folder.ts'

/** Why a file was not taken out. A code never changes its meaning. */
export const ProblemCode = {
  /** There is something of that name in the target, and it was not to be replaced, or is a folder. */
  TargetExists: 'TARGET_EXISTS',
  /** The system refused to make it. */
  TargetRefused: 'TARGET_REFUSED',
  /** The target cannot have such a thing: a device file without the right to make one. */
  NotMade: 'NOT_MADE',
  /** The chunks that hold it are damaged or missing in the repository. */
  ChunkDamaged: 'CHUNK_DAMAGED',
  /** What the file system says of it is not what its format demands. */
  FileDamaged: 'FILE_DAMAGED',
  /** It is sound, but of a kind that is not read. */
  FileUnmapped: 'FILE_UNMAPPED',
} as const
export type ProblemCode = (typeof ProblemCode)[keyof typeof ProblemCode]

/** A file that was not taken out; `path` is the one in the backup. */
export type ExtractProblem = {
  readonly code: ProblemCode
  readonly path: Uint8Array
  readonly message: string
}

/** Something of files that were taken out and that is not as it was. */
export type NotKeptCount = {
  readonly what: NotKept['what']
  readonly reason: string
  readonly count: number
  /** The first such file. */
  readonly example: Uint8Array
}

export type ExtractOutcome = {
  readonly fileCount: number
  readonly folderCount: number
  readonly linkCount: number
  readonly hardLinkCount: number
  readonly specialFileCount: number
  readonly writtenBytes: number
  readonly notKept: readonly NotKeptCount[]
  readonly problemCount: number
  /** The first of them. */
  readonly problems: readonly ExtractProblem[]
}

/** More would bury each other, and memory is bounded. */
const PROBLEMS_MAX = 1000
const NOT_KEPT_KINDS_MAX = 100

type Counted =
  | 'fileCount'
  | 'folderCount'
  | 'linkCount'
  | 'hardLinkCount'
  | 'specialFileCount'
  | 'writtenBytes'

/** What was done so far. */
export class ExtractReport {
  readonly #counts = {
    fileCount: 0,
    folderCount: 0,
    linkCount: 0,
    hardLinkCount: 0,
    specialFileCount: 0,
    writtenBytes: 0,
  }
  readonly #notKept = new Map<string, { -readonly [Key in keyof NotKeptCount]: NotKeptCount[Key] }>()
  readonly #problems: ExtractProblem[] = []
  #problemCount = 0

  get writtenBytes(): number {
    return this.#counts.writtenBytes
  }

  count(what: Counted, by = 1): void {
    this.#counts[what] += by
  }

  /** Each kind counts once for each file. */
  addNotKept(notKept: readonly NotKept[], path: Uint8Array): void {
    const counted = new Set<string>()
    for (const { what, reason } of notKept) {
      const key = `${what} ${reason}`
      if (counted.has(key)) continue
      counted.add(key)
      const known = this.#notKept.get(key)
      if (known !== undefined) known.count += 1
      else if (this.#notKept.size < NOT_KEPT_KINDS_MAX) {
        this.#notKept.set(key, { what, reason, count: 1, example: path })
      }
    }
  }

  addProblem(problem: ExtractProblem): void {
    this.#problemCount += 1
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(problem)
  }

  outcome(): ExtractOutcome {
    return {
      ...this.#counts,
      notKept: [...this.#notKept.values()],
      problemCount: this.#problemCount,
      problems: this.#problems,
    }
  }
}
