import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync, type BigIntStats } from 'node:fs'

import type { FrozenImage } from '../../src/domain/frozen-image.ts'
import type { FileKind, FileNode, FileSystem, FileTime } from '../../src/formats/file-system.ts'
import { runTool } from './run-tool.ts'

/** All that is known of a file, in a form that is printed well when two of them differ. */
export type TreeFile = {
  readonly number: number
  readonly kind: FileKind
  readonly mode: number
  readonly userId: number
  readonly groupId: number
  readonly linkCount: number
  readonly sizeBytes: number
  readonly times: readonly string[]
  /** Digest of a file, target of a symlink in hexadecimal, number of a device, empty for others. */
  readonly content: string
  readonly attributes: Readonly<Record<string, string>>
}

/** By path from the root, names as Latin-1, so that each byte is one character. The root is the empty path. */
export type FileTree = ReadonlyMap<string, TreeFile>

export type TreeOptions = {
  /** Attributes that are not compared. */
  readonly ignoredAttributes?: RegExp
}

/** The tree as the kernel shows it below a mounted folder. */
export function readMountedTree(folder: string, options: TreeOptions = {}): FileTree {
  const tree = new Map<string, TreeFile>()
  const attributes = readMountedAttributes(folder, options)
  const visit = (path: string): void => {
    const at = Buffer.from(`${folder}${path}`, 'latin1')
    const stat = lstatSync(at, { bigint: true })
    tree.set(path, { ...fromStat(stat, at), attributes: attributes.get(path) ?? {} })
    if (!stat.isDirectory()) return
    for (const name of readdirSync(at, { encoding: 'buffer' })) visit(`${path}/${name.toString('latin1')}`)
  }
  visit('')
  return tree
}

/** The tree as icecore reads it. */
export async function readFormatTree(fileSystem: FileSystem, image: FrozenImage): Promise<FileTree> {
  const tree = new Map<string, TreeFile>()
  const { signal } = new AbortController()
  const visit = async (path: string, number: number): Promise<void> => {
    const node = await fileSystem.readNode(number)
    tree.set(path, await fromNode(fileSystem, image, node))
    if (node.kind !== 'directory') return
    for await (const batch of fileSystem.readDirectory(node, signal)) {
      for (const { name, inodeNumber } of batch) {
        await visit(`${path}/${Buffer.from(name).toString('latin1')}`, inodeNumber)
      }
    }
  }
  await visit('', fileSystem.rootInodeNumber)
  return tree
}

/** Digest of a file's content, read from the image at its extents. */
export async function digestOf(fileSystem: FileSystem, image: FrozenImage, node: FileNode): Promise<string> {
  const digest = createHash('sha256')
  if (node.sizeBytes === 0) return digest.digest('hex')
  const { signal } = new AbortController()
  const range = { offset: 0, length: node.sizeBytes }
  for await (const batch of fileSystem.fileExtents(node, range, signal)) {
    for (const extent of batch) {
      const bytes = new Uint8Array(extent.length)
      if (extent.kind === 'data') await image.readInto(bytes, extent.physicalOffset)
      if (extent.kind === 'inline') bytes.set(extent.bytes)
      digest.update(bytes)
    }
  }
  return digest.digest('hex')
}

function fromStat(stat: BigIntStats, at: Buffer): Omit<TreeFile, 'attributes'> {
  const kind = kindOf(stat)
  return {
    number: Number(stat.ino),
    kind,
    mode: Number(stat.mode & 0o7777n),
    userId: Number(stat.uid),
    groupId: Number(stat.gid),
    linkCount: Number(stat.nlink),
    sizeBytes: Number(stat.size),
    times: [stat.atimeNs, stat.mtimeNs, stat.ctimeNs, stat.birthtimeNs].map(String),
    content: contentOf(kind, stat, at),
  }
}

function contentOf(kind: FileKind, stat: BigIntStats, at: Buffer): string {
  if (kind === 'file') return createHash('sha256').update(readFileSync(at)).digest('hex')
  if (kind === 'symlink') return readlinkSync(at, { encoding: 'buffer' }).toString('hex')
  if (kind !== 'block-device' && kind !== 'character-device') return ''
  const major = (stat.rdev >> 8n) & 0xfffn
  const minor = (stat.rdev & 0xffn) | ((stat.rdev >> 12n) & 0xfff00n)
  return `${major}:${minor}`
}

function kindOf(stat: BigIntStats): FileKind {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isBlockDevice()) return 'block-device'
  if (stat.isCharacterDevice()) return 'character-device'
  return stat.isFIFO() ? 'fifo' : 'socket'
}

/** Only files with ASCII names may have attributes: `getfattr` writes the others in its own way. */
function readMountedAttributes(
  folder: string,
  { ignoredAttributes }: TreeOptions,
): ReadonlyMap<string, Record<string, string>> {
  const byPath = new Map<string, Record<string, string>>()
  const words = ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', folder]
  for (const block of runTool('getfattr', words).split('\n\n')) {
    const [first, ...lines] = block.split('\n')
    if (first === undefined || !first.startsWith('# file: ')) continue
    const attributes: Record<string, string> = {}
    for (const line of lines.filter((text) => text !== '')) {
      const [name = '', value = '0x'] = line.split('=')
      if (ignoredAttributes?.test(name) !== true) attributes[name] = value.slice(2)
    }
    if (Object.keys(attributes).length > 0)
      byPath.set(first.slice('# file: '.length + folder.length), attributes)
  }
  return byPath
}

async function fromNode(fileSystem: FileSystem, image: FrozenImage, node: FileNode): Promise<TreeFile> {
  const { number, kind, mode, userId, groupId, linkCount, sizeBytes, accessed, modified, changed, born } =
    node
  const attributes = await fileSystem.readAttributes(node)
  const named = attributes.map(
    ({ name, value }) => [Buffer.from(name).toString('latin1'), Buffer.from(value).toString('hex')] as const,
  )
  const times = [accessed, modified, changed, born].map((time) =>
    time === null ? 'none' : nanosecondsOf(time),
  )
  const content = await contentOfNode(fileSystem, image, node)
  const attributesByName = Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return {
    number,
    kind,
    mode,
    userId,
    groupId,
    linkCount,
    sizeBytes,
    times,
    content,
    attributes: attributesByName,
  }
}

async function contentOfNode(fileSystem: FileSystem, image: FrozenImage, node: FileNode): Promise<string> {
  if (node.kind === 'file') return await digestOf(fileSystem, image, node)
  if (node.kind === 'symlink') return Buffer.from(await fileSystem.readSymlink(node)).toString('hex')
  return node.device === null ? '' : `${node.device.major}:${node.device.minor}`
}

function nanosecondsOf({ seconds, nanoseconds }: FileTime): string {
  return String(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds))
}
