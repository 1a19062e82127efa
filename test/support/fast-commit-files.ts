import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  chmodSync,
  chownSync,
  writeFileSync,
  writeSync,
} from 'node:fs'

import type { Randomness } from '../../src/domain/randomness.ts'
import { runTool } from './run-tool.ts'
import { seededRandomness } from './seeded-randomness.ts'

/** Changes files below a folder at random, by a seed, in the ways that the kernel has fast commits for. */
export class FastCommitFiles {
  readonly #folder: string
  readonly #random: Randomness
  #files: string[] = []
  readonly #folders: string[] = ['']
  #nameCount = 0

  constructor(folder: string, seed: number) {
    this.#folder = folder
    this.#random = seededRandomness(seed)
  }

  /** Files and folders to begin with. */
  begin(): void {
    for (let index = 0; index < 6; index += 1) this.#makeFolder()
    for (let index = 0; index < 24; index += 1) this.#makeFile()
  }

  /** Attributes, which have to stay: a change of them is no fast commit. The long one is not in its inode. */
  addAttributes(): void {
    for (const path of this.#files.slice(0, 12)) {
      runTool('setfattr', ['-n', 'user.note', '-v', 'short', this.#at(path)])
    }
    runTool('setfattr', ['-n', 'user.long', '-v', 'l'.repeat(400), this.#at(this.#files[3] ?? '')])
  }

  /** One change, of one kind or another. */
  change(): void {
    const changes: readonly (() => void)[] = [
      () => this.#makeFile(),
      () => this.#makeFile(),
      () => this.#makeFolder(),
      () => this.#remove(),
      () => this.#rename(),
      () => this.#renameOver(),
      () => this.#link(),
      () => this.#write(),
      () => this.#write(),
      () => this.#truncate(),
      () => this.#setAttributes(),
      () => this.#allocate(),
    ]
    changes[this.#below(changes.length)]?.()
  }

  /** Syncs one file, which makes a fast commit of all changes so far that can be in one. */
  sync(): void {
    syncFile(this.#at(this.#file()))
  }

  /** Syncs all files: what the kernel shows then is what is to be there after a crash. */
  syncAll(): void {
    for (const file of this.#files) syncFile(this.#at(file))
  }

  #below(count: number): number {
    return this.#random.below(count)
  }

  #at(path: string): string {
    return `${this.#folder}${path}`
  }

  #file(): string {
    if (this.#files.length === 0) this.#makeFile()
    return this.#files[this.#below(this.#files.length)] ?? ''
  }

  #newName(): string {
    this.#nameCount += 1
    const folder = this.#folders[this.#below(this.#folders.length)] ?? ''
    return `${folder}/${this.#nameCount} ${'n'.repeat(this.#below(60))}`
  }

  #bytes(): Buffer {
    this.#nameCount += 1
    return Buffer.alloc(1 + this.#below(20_000), `content ${this.#nameCount} `)
  }

  #makeFile(): void {
    const path = this.#newName()
    writeFileSync(this.#at(path), this.#bytes())
    this.#files.push(path)
  }

  #makeFolder(): void {
    const path = this.#newName()
    mkdirSync(this.#at(path))
    this.#folders.push(path)
  }

  #remove(): void {
    const path = this.#file()
    rmSync(this.#at(path))
    this.#files = this.#files.filter((file) => file !== path)
  }

  #rename(): void {
    const [from, to] = [this.#file(), this.#newName()]
    renameSync(this.#at(from), this.#at(to))
    this.#files = this.#files.map((file) => (file === from ? to : file))
  }

  #renameOver(): void {
    const [from, to] = [this.#file(), this.#file()]
    if (from === to) return
    renameSync(this.#at(from), this.#at(to))
    // Two names of one file: then nothing happens, as POSIX wants it.
    this.#files = this.#files.filter((file) => file === to || exists(this.#at(file)))
  }

  #link(): void {
    const path = this.#newName()
    linkSync(this.#at(this.#file()), this.#at(path))
    this.#files.push(path)
  }

  #write(): void {
    const file = openSync(this.#at(this.#file()), 'r+')
    writeSync(file, this.#bytes(), 0, null, this.#below(4) === 0 ? this.#below(400_000) : this.#below(30_000))
    closeSync(file)
  }

  #truncate(): void {
    truncateSync(this.#at(this.#file()), this.#below(2) === 0 ? this.#below(30_000) : this.#below(300_000))
  }

  #setAttributes(): void {
    const path = this.#at(this.#file())
    chmodSync(path, this.#below(0o1000))
    chownSync(path, this.#below(100_000), this.#below(100_000))
    utimesSync(path, this.#below(2_000_000_000), this.#below(2_000_000_000))
  }

  #allocate(): void {
    const [offset, length] = [this.#below(100_000), 1 + this.#below(50_000)]
    const words = [
      ['--offset', `${offset}`, '--length', `${length}`],
      ['--keep-size', '--offset', `${offset}`, '--length', `${length}`],
      ['--punch-hole', '--offset', `${offset}`, '--length', `${length}`],
      ['--zero-range', '--offset', `${offset}`, '--length', `${length}`],
    ][this.#below(4)]
    runTool('fallocate', [...(words ?? []), this.#at(this.#file())])
  }
}

function syncFile(path: string): void {
  const file = openSync(path, 'r')
  fsyncSync(file)
  closeSync(file)
}

function exists(path: string): boolean {
  try {
    closeSync(openSync(path, 'r'))
    return true
  } catch {
    return false
  }
}
