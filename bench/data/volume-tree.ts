import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TAR_XZ, TAR_ZST, writeArchives } from './archives.ts'
import { writeFilePart } from './file-parts.ts'
import { BLOCK_SIZE_BYTES, FILLER_BYTE } from './fs-blocks.ts'
import { hostFilesBelow, type HostFile } from './host-files.ts'
import { writeLog } from './log-text.ts'
import { FULL_SIZE_BYTES, PART_BYTES, type Part } from './part.ts'
import { writeRandomFile } from './random-file.ts'
import { seededStream } from './seeded-stream.ts'
import { writeSqliteDatabase } from './sqlite-database.ts'

/** Larger files are programs and libraries, smaller ones are what a tree of modules is made of. */
const SMALL_FILE_BYTES_MAX = 32 * 1024
const PROGRAM_FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/lib', '/usr/libexec', '/usr/local', '/usr/include']
const OWN_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url))

export const ZERO_FILE = '/var/zeros.bin'
export const PREALLOCATED_FILE = '/var/preallocated.bin'
export const DELETED_FOLDER = '/deleted'

export type TreeWish = { readonly folder: string; readonly sizeBytes: number; readonly seed: string }

type Host = {
  readonly programs: readonly HostFile[]
  readonly documents: readonly HostFile[]
  readonly packages: readonly HostFile[]
}

/** Makes the files of the volume below `wish.folder` and says what they are. */
export function writeVolumeTree(wish: TreeWish): Part[] {
  const host: Host = {
    programs: [...PROGRAM_FOLDERS, OWN_MODULES].flatMap((folder) => hostFilesBelow(folder)),
    documents: hostFilesBelow('/usr/share'),
    packages: hostFilesBelow('/var/cache/apt/archives').filter((file) => file.path.endsWith('.deb')),
  }
  mkdirSync(join(wish.folder, 'var'), { recursive: true })
  return [...writeHostParts(wish, host), ...writeArchiveParts(wish, host), ...writeMadeParts(wish)]
}

function scaled(wish: TreeWish, part: keyof typeof PART_BYTES): number {
  return Math.floor((PART_BYTES[part] * wish.sizeBytes) / FULL_SIZE_BYTES)
}

function writeHostParts(wish: TreeWish, host: Host): Part[] {
  const { seed } = wish
  const programs = writeFilePart({
    name: 'programs and libraries',
    folder: wish.folder,
    candidates: host.programs.filter((file) => file.sizeBytes > SMALL_FILE_BYTES_MAX),
    budgetBytes: scaled(wish, 'programs'),
    standInSizeBytesMax: 4 * 2 ** 20,
    seed,
  })
  const documents = writeFilePart({
    name: 'documents',
    folder: wish.folder,
    candidates: host.documents,
    budgetBytes: scaled(wish, 'documents'),
    standInSizeBytesMax: 256 * 1024,
    seed,
  })
  const smallFiles = writeFilePart({
    name: 'small files, as in node_modules',
    folder: join(wish.folder, 'srv/projects/node_modules'),
    candidates: host.programs.filter((file) => file.sizeBytes <= SMALL_FILE_BYTES_MAX),
    budgetBytes: scaled(wish, 'smallFiles'),
    standInSizeBytesMax: 12 * 1024,
    seed,
  })
  const duplicates = writeFilePart({
    name: 'duplicate trees',
    folder: join(wish.folder, 'srv/copy'),
    candidates: [...programs.picked, ...smallFiles.picked],
    budgetBytes: scaled(wish, 'duplicates'),
    standInSizeBytesMax: 2 ** 20,
    seed,
  })
  const deleted = writeFilePart({
    name: 'deleted files, whose bytes are still there',
    folder: join(wish.folder, DELETED_FOLDER),
    candidates: programs.rest,
    budgetBytes: scaled(wish, 'deleted'),
    standInSizeBytesMax: 2 ** 20,
    seed,
  })
  return [programs.part, documents.part, smallFiles.part, duplicates.part, deleted.part]
}

function writeArchiveParts(wish: TreeWish, host: Host): Part[] {
  const { seed } = wish
  const packages = writeFilePart({
    name: '.deb packages',
    folder: wish.folder,
    candidates: host.packages,
    budgetBytes: scaled(wish, 'packages'),
    standInSizeBytesMax: 0,
    seed,
  })
  const missingBytes = scaled(wish, 'packages') - packages.part.sizeBytes
  const folder = join(wish.folder, 'srv/archives')
  const zstdBytes = writeArchives(folder, host.programs, {
    kind: TAR_ZST,
    budgetBytes: scaled(wish, 'zstdArchives') + missingBytes, // A host without a package cache has more of these.
    stream: seededStream(`${seed}/zst`),
  })
  const xzBytes = writeArchives(folder, host.programs, {
    kind: TAR_XZ,
    budgetBytes: scaled(wish, 'xzArchives'),
    stream: seededStream(`${seed}/xz`),
  })
  return [
    packages.part,
    { name: '.tar.zst archives', sizeBytes: zstdBytes, origin: 'tar of files of this host, zstd -3' },
    { name: '.tar.xz archives', sizeBytes: xzBytes, origin: 'tar of files of this host, xz -0' },
  ]
}

function writeMadeParts(wish: TreeWish): Part[] {
  const path = (name: string): string => join(wish.folder, 'var', name)
  const stream = (name: string): ReturnType<typeof seededStream> => seededStream(`${wish.seed}/${name}`)
  const databaseBytes = writeSqliteDatabase(
    path('orders.sqlite'),
    scaled(wish, 'database'),
    stream('database'),
  )
  const logBytes = writeLog(path('server.log'), scaled(wish, 'log'), stream('log'))
  const randomBytes = writeRandomFile(path('random.bin'), scaled(wish, 'random'), stream('random'))
  const zeroBytes = writeFiller(path(basename(ZERO_FILE)), scaled(wish, 'zeros'))
  closeSync(openSync(path(basename(PREALLOCATED_FILE)), 'w'))
  return [
    {
      name: 'SQLite database',
      sizeBytes: databaseBytes,
      origin: 'made: node:sqlite, updated and deleted rows',
    },
    { name: 'log', sizeBytes: logBytes, origin: 'made: lines of a web server and a journal' },
    { name: 'random', sizeBytes: randomBytes, origin: 'made: AES-256-CTR' },
    { name: 'written zeros', sizeBytes: zeroBytes, origin: 'zeroed in the image: data, not holes' },
  ]
}

function writeFiller(path: string, sizeBytes: number): number {
  const blockCount = Math.ceil(sizeBytes / BLOCK_SIZE_BYTES)
  mkdirSync(dirname(path), { recursive: true })
  const file = openSync(path, 'w')
  const block = Buffer.alloc(BLOCK_SIZE_BYTES, FILLER_BYTE)
  try {
    for (let index = 0; index < blockCount; index += 1) writeSync(file, block)
  } finally {
    closeSync(file)
  }
  return blockCount * BLOCK_SIZE_BYTES
}
