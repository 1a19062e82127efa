import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type CorpusEntry = {
  readonly path: string
  readonly sizeBytes: number
  readonly format: string
  /** Such as ext4, xfs, lvm, dm-thin, pt-gpt, sig-udf. */
  readonly kind: string
  readonly state: string
  /** What is odd about it. */
  readonly special: string
  readonly facts: Facts
}

/** A file system, on the whole image or within a volume of it, as tools see it. All of it may be missing. */
export type VolumeFacts = {
  readonly part?: string
  readonly offset?: number
  readonly blkid?: unknown
  readonly dumpe2fs?: {
    readonly exit: number
    readonly block_count?: number
    readonly block_size?: number
    readonly uuid?: string
    readonly label?: string
    readonly features?: readonly string[]
    readonly free_ranges_sha256?: string
    readonly free_ranges?: readonly (readonly [number, number])[]
  }
  readonly e2fsck_fn?: { readonly exit: number }
  readonly files_rdump?: TreeFacts
  readonly kernel_mount?: TreeFacts
  readonly xfs_db_sb?: { readonly exit: number; readonly [field: string]: string | number }
  readonly xfs_repair_n?: { readonly exit: number }
  readonly xfs_freesp?: {
    readonly exit: number
    readonly blocks?: number
    readonly truncated?: boolean
    readonly agno_agbno_len?: readonly (readonly [number, number, number])[]
  }
}

export type TreeFacts = { readonly count: number; readonly tree_sha256: string }

export type Facts = VolumeFacts & {
  readonly blkid?: { readonly tags: Readonly<Record<string, string>> }
  readonly inside?: readonly VolumeFacts[]
  readonly sfdisk?: {
    readonly partitiontable?: {
      readonly label: string
      readonly sectorsize: number
      readonly partitions?: readonly { readonly start: number; readonly size: number }[]
    }
  }
  readonly pvck_headers?: { readonly exit: number }
  readonly thin_check?: { readonly exit: number }
  readonly thin_ls?: { readonly exit: number; readonly output: readonly string[] }
}

/** The images of the corpus; what tools printed about them, and samples of other files, are none. */
export function readManifest(folder: string): readonly CorpusEntry[] {
  const [header, ...lines] = readFileSync(join(folder, 'MANIFEST.tsv'), 'utf8').trimEnd().split('\n')
  const names = header?.split('\t') ?? []
  return lines.flatMap((line): CorpusEntry[] => {
    const cells = line.split('\t')
    const row = new Map(names.map((name, index) => [name, cells[index] ?? '']))
    const cell = (name: string): string => {
      const value = row.get(name)
      assert(value !== undefined, `the manifest has no ${name}`)
      return value
    }
    const kind = cell('kind')
    if (NO_IMAGES.has(kind)) return []
    const factsFile = cell('facts_file')
    return [
      {
        path: cell('path'),
        sizeBytes: Number(cell('raw_size')),
        format: cell('format'),
        kind,
        state: cell('state'),
        special: cell('special'),
        facts: factsFile === '' ? {} : readFacts(join(folder, factsFile)),
      },
    ]
  })
}

/** Output of tools, the packed form of a tool's own tests, and a tool's input. */
const NO_IMAGES = new Set(['expected-output', 'thin-pack', 'thin-xml'])

function readFacts(path: string): Facts {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the corpus is written by one program
  return JSON.parse(readFileSync(path, 'utf8')) as Facts
}
