import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

import type { FrozenImage } from '../../src/domain/frozen-image.ts'
import type { Range } from '../../src/domain/range.ts'
import type { Volume } from '../../src/formats/volume-stack/volume.ts'
import type { WalkedFile } from '../support/walk-files.ts'
import type { Complaint } from '../support/survey/complaint.ts'
import { surveyStack, type StackSurvey } from '../support/survey/survey-stack.ts'
import { SurveyLimit } from '../support/survey/survey-limit.ts'
import { surveyThinPool } from '../support/survey/survey-thin-pool.ts'
import { checkFileList, checkFileSystem } from './check-file-system.ts'
import { checkFree, checkPartitions, checkThinDevices, volumeOfPart } from './check-stack.ts'
import { differ } from './differ.ts'
import { checkFileFacts, readFileFacts, type FileFacts } from './file-facts.ts'
import type { CorpusEntry, VolumeFacts } from './manifest.ts'
import { openCorpusImage } from './open-corpus-image.ts'
import { describeFile, type TreeEntry } from './tree-digest.ts'

/** Many times what the image takes that takes the most: 1,000 reads, 150,000 steps, 3 s. */
const LIMITS = { readCountMax: 20_000, stepCountMax: 2_000_000, msMax: 60_000 }

export type ImageReport = {
  readonly path: string
  /** What is not as the facts say, as sentences. */
  readonly problems: readonly string[]
  readonly complaints: readonly Complaint[]
  /** What lies on the image itself. */
  readonly content: string
  /** File systems that claim to know what is free. */
  readonly provenCount: number
  /** Facts that were compared. */
  readonly comparedCount: number
  readonly readCount: number
  readonly ms: number
}

/** Opens, maps and walks an image, and compares what was found with the facts. Throws for what no reader may do. */
export async function checkImage(folder: string, entry: CorpusEntry): Promise<ImageReport> {
  const limit = new SurveyLimit(LIMITS)
  await using image = await openCorpusImage(folder, entry, () => limit.read())
  const { signal } = new AbortController()
  const { facts } = entry
  const problems: string[] = []
  const complaints: Complaint[] = []
  let comparedCount = 0
  if (entry.kind === 'dm-thin') {
    const live = await surveyThinPool(image, false, { limit, signal })
    complaints.push(...live.complaints)
    problems.push(...checkThinDevices(live, facts))
    comparedCount += 1
    const held = await surveyThinPool(image, true, { limit, signal })
    complaints.push(...held.complaints.filter(({ structure }) => structure !== 'metadata snapshot'))
  }
  const trees = new Trees(image)
  // What is in the files of others is compared with nothing, and may be petabytes of holes.
  const isListed = [facts, ...(facts.inside ?? [])].some(isClean)
  const survey = await surveyStack([{ name: 'disk', image }], {
    limit,
    signal,
    onFile: async (file, { volume }) => {
      if (isListed) await trees.add(volume, file)
    },
    onVolume: (volume) => trees.enter(volume),
  })
  // A metadata device of a thin pool has no mark that a stack knows: it is looked at as what it is.
  if (entry.kind !== 'dm-thin') complaints.push(...survey.complaints)
  problems.push(...checkPartitions(survey, facts))
  for (const part of [facts, ...(facts.inside ?? [])]) {
    const volume = part === facts ? survey.stack.volumes[0] : volumeOfPart(survey, part)
    if (volume?.content.kind !== 'file-system') continue
    const found = survey.fileSystems.find((each) => each.volume === volume.name)
    assert(found !== undefined)
    problems.push(...checkFileSystem(found, part, trees.of(volume.name)))
    problems.push(...checkListBeside({ folder, entry, trees, volume: volume.name }))
    if (isClean(part)) problems.push(...checkFree(found.free, trees.rangesOf(volume.name)))
    comparedCount += 1
  }
  problems.push(...checkContent(survey, entry))
  return {
    path: entry.path,
    problems,
    complaints,
    content: contentOf(survey),
    provenCount: survey.fileSystems.filter(({ fileSystem }) => fileSystem.allocation.proven).length,
    comparedCount,
    readCount: limit.readCount,
    ms: Math.round(limit.ms),
  }
}

function isClean({ e2fsck_fn, xfs_repair_n }: VolumeFacts): boolean {
  return e2fsck_fn?.exit === 0 || xfs_repair_n?.exit === 0
}

/** The kernel's or another reader's list of files, with their digests and what else it says of them. */
function checkListBeside({
  folder,
  entry,
  trees,
  volume,
}: {
  readonly folder: string
  readonly entry: CorpusEntry
  readonly trees: Trees
  readonly volume: string
}): string[] {
  const path = join(folder, entry.path.replace(/\.gz$/, '.files.json.gz'))
  if (entry.format !== 'gz' || !existsSync(path)) return []
  const list: unknown = JSON.parse(gunzipSync(readFileSync(path)).toString())
  assert(Array.isArray(list))
  const problems = [...checkFileList(trees.of(volume), list), ...checkFileFacts(trees.factsOf(volume), list)]
  const count = entry.facts.kernel_mount?.count
  if (count === undefined) return problems
  return [...problems, ...differ('count of files', list.length, count)]
}

function contentOf({ stack }: StackSurvey): string {
  const content = stack.volumes[0]?.content
  if (content?.kind === 'file-system') return content.fileSystem.format
  if (content?.kind === 'partition-table') return content.table.format
  return content?.kind === 'unmapped' ? content.what : (content?.kind ?? 'nothing')
}

/** What `blkid` calls it has to be what it is called here, where both know it and it is sound. */
function checkContent(survey: StackSurvey, { facts, state }: CorpusEntry): string[] {
  const type = facts.blkid?.tags['TYPE']
  if (type === undefined || state === 'damaged') return []
  const expected = KNOWN_AS[type] ?? [type]
  const found = contentOf(survey)
  if (found.startsWith('damaged: ') || expected.some((name) => found.split(' and ').includes(name))) return []
  return [`what lies on it is ${found}, expected ${expected.join(' or ')}`]
}

/** Where `blkid` has other names. */
const KNOWN_AS: Readonly<Record<string, readonly string[]>> = {
  vfat: ['fat', 'fat12', 'fat16', 'fat32', 'vfat'],
  ext2: ['ext2', 'ext3', 'ext4', 'ext'],
  ext3: ['ext2', 'ext3', 'ext4', 'ext'],
  ext4: ['ext2', 'ext3', 'ext4', 'ext'],
  LVM2_member: ['physical-volume'],
  crypto_LUKS: ['luks1', 'luks2', 'swap'],
  jbd: ['ext journal'],
  adaptec_raid_member: ['adaptec raid'],
  silicon_medley_raid_member: ['silicon medley raid'],
  isw_raid_member: ['intel raid'],
  nvidia_raid_member: ['nvidia raid'],
  lsi_mega_raid_member: ['lsi megaraid'],
  hpt37x_raid_member: ['highpoint raid'],
  hpt45x_raid_member: ['highpoint raid'],
  linux_raid_member: ['md raid 1.2'],
  VMFS: ['vmfs'],
  VMFS_volume_member: ['vmfs volume'],
  ceph_bluestore: ['bluestore'],
  swsuspend: ['swap', 'suspended system'],
  xfs_external_log: ['xfs log'],
}

/** The files of all volumes, and where they lie on their volumes. */
class Trees {
  readonly #image: FrozenImage
  readonly #volumes = new Map<string, Volume>()
  readonly #entries = new Map<string, TreeEntry[]>()
  readonly #ranges = new Map<string, Range[]>()
  readonly #facts = new Map<string, FileFacts[]>()

  constructor(image: FrozenImage) {
    this.#image = image
  }

  enter(volume: Volume): void {
    this.#volumes.set(volume.name, volume)
  }

  of(volume: string): readonly TreeEntry[] {
    return this.#entries.get(volume) ?? []
  }

  factsOf(volume: string): readonly FileFacts[] {
    return this.#facts.get(volume) ?? []
  }

  rangesOf(volume: string): readonly Range[] {
    return this.#ranges.get(volume) ?? []
  }

  async add(name: string, file: WalkedFile): Promise<void> {
    const volume = this.#volumes.get(name)
    assert(volume?.content.kind === 'file-system')
    const { fileSystem } = volume.content
    assert(volume.image.sizeBytes <= this.#image.sizeBytes)
    const ranges = this.#ranges.get(name) ?? []
    this.#ranges.set(name, ranges)
    const entry = await describeFile(file, {
      image: volume.image,
      fileSystem,
      onData: (range) => ranges.push(range),
    })
    const facts = this.#facts.get(name) ?? []
    this.#facts.set(name, facts)
    facts.push(await readFileFacts(file, fileSystem, new AbortController().signal))
    if (entry === null) return
    const entries = this.#entries.get(name) ?? []
    this.#entries.set(name, entries)
    entries.push(entry)
  }
}
