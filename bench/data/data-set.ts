import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { formatByteSize } from '../../src/domain/byte-size.ts'
import { dataRunsOf } from './data-runs.ts'
import { prepareChange, scatteredChangeIn, undoChange, type ScatteredChange } from './scattered-change.ts'
import { scatteredWrites } from './scattered-writes.ts'
import { seededStream } from './seeded-stream.ts'
import { writeSparseImage } from './sparse-image.ts'
import { writeVolumeImage } from './volume-image.ts'

/** Raise it when the making changes: data of another version is made again. */
const DATA_VERSION = 1

const DataManifest = v.object({
  version: v.number(),
  seed: v.string(),
  sizeBytes: v.number(),
  allocatedBytes: v.number(),
  changedBytes: v.number(),
  changeCount: v.number(),
  parts: v.array(v.object({ name: v.string(), sizeBytes: v.number(), origin: v.string() })),
})
export type DataManifest = v.InferOutput<typeof DataManifest>

export type DataSet = {
  readonly image: string
  readonly sparseImage: string
  readonly emptyChangeList: string
  readonly change: ScatteredChange
  readonly manifest: DataManifest
}

export type DataWish = { readonly workFolder: string; readonly sizeBytes: number; readonly seed: string }

/** The data in the work folder, made if it is not there yet. Always without the scattered change. */
export function openDataSet(wish: DataWish, say: (line: string) => void): DataSet {
  const folder = join(wish.workFolder, `data-${formatByteSize(wish.sizeBytes).replace(' ', '')}-${wish.seed}`)
  const manifestPath = join(folder, 'manifest.json')
  const image = join(folder, 'volume.img')
  const change = scatteredChangeIn(folder, image)
  const known = readManifest(manifestPath)
  const isUsable =
    known !== undefined &&
    known.version === DATA_VERSION &&
    known.sizeBytes === wish.sizeBytes &&
    existsSync(image)
  const manifest = isUsable ? known : makeDataSet({ ...wish, folder, manifestPath, change }, say)
  undoChange(change)
  return {
    image,
    sparseImage: join(folder, 'sparse-1TiB.img'),
    emptyChangeList: join(folder, 'no-changes.json'),
    change,
    manifest,
  }
}

function readManifest(path: string): DataManifest | undefined {
  return existsSync(path) ? v.parse(DataManifest, JSON.parse(readFileSync(path, 'utf8'))) : undefined
}

type MakeWish = DataWish & {
  readonly folder: string
  readonly manifestPath: string
  readonly change: ScatteredChange
}

function makeDataSet(wish: MakeWish, say: (line: string) => void): DataManifest {
  const { folder, change, sizeBytes, seed } = wish
  say(`Making ${formatByteSize(sizeBytes)} of data in ${folder}: some minutes, once`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const parts = writeVolumeImage({ image: change.image, sizeBytes, seed })
  const dataRuns = dataRunsOf(change.image, sizeBytes)
  const writes = scatteredWrites(dataRuns, { sizeBytes, stream: seededStream(`${seed}/writes`) })
  prepareChange(change, writes, seededStream(`${seed}/content`))
  writeSparseImage(join(folder, 'sparse-1TiB.img'), seed)
  writeFileSync(join(folder, 'no-changes.json'), '[]')
  const manifest: DataManifest = {
    version: DATA_VERSION,
    seed,
    sizeBytes,
    allocatedBytes: statSync(change.image).blocks * 512,
    changedBytes: writes.reduce((sum, write) => sum + write.length, 0),
    changeCount: writes.length,
    parts,
  }
  // The manifest comes last and in one step: data that an interrupted run left is never used.
  writeFileSync(`${wish.manifestPath}.new`, JSON.stringify(manifest, undefined, 2))
  renameSync(`${wish.manifestPath}.new`, wish.manifestPath)
  return manifest
}
