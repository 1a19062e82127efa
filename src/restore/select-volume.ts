import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { FileSystem } from '../formats/file-system.ts'
import type { Volume, VolumeStack } from '../formats/volume-stack/volume.ts'

/** A volume with a file system that is read. */
export type FileSystemVolume = Volume & {
  readonly content: { readonly kind: 'file-system'; readonly fileSystem: FileSystem }
}

/** Names in a sentence: more of them would hide it. */
const NAMED_MAX = 20

/**
 * The volume of that name, or the only one with a file system. Throws VOLUME_MISSING, FILE_SYSTEM_UNMAPPED. `where` is
 * for the sentence.
 */
export function selectVolume(stack: VolumeStack, name: string | null, where: string): FileSystemVolume {
  const readable = fileSystemVolumes(stack)
  if (name === null) {
    const [first, ...others] = readable
    if (first !== undefined && others.length === 0) return first
    if (first !== undefined) throw severalVolumes(readable, where)
    throw unmapped(`Cannot read files of ${where}: ${whatIsThere(stack)}`, where)
  }
  const found = readable.find((volume) => volume.name === name)
  if (found !== undefined) return found
  const there = stack.volumes.find((volume) => volume.name === name)
  const refused = stack.unmapped.find((volume) => volume.name === name)
  if (there === undefined && refused === undefined) {
    const names = `required is ${alternatives(readable)}`
    throw new BackupError(ErrorCode.VolumeMissing, `Cannot find volume "${name}" of ${where}: ${names}`, {
      data: { volume: name, names: readable.map((volume) => volume.name) },
    })
  }
  const reason = refused?.reason ?? (there === undefined ? '' : describe(there))
  throw unmapped(`Cannot read files of volume "${name}" of ${where}: ${reason}`, where)
}

/** All volumes whose files can be read. */
export function fileSystemVolumes(stack: VolumeStack): readonly FileSystemVolume[] {
  return stack.volumes.filter(hasFileSystem)
}

function hasFileSystem(volume: Volume): volume is FileSystemVolume {
  return volume.content.kind === 'file-system'
}

function severalVolumes(volumes: readonly Volume[], where: string): BackupError {
  const message = `Cannot choose a volume of ${where}: ${volumes.length} have a file system, required is the name of ${alternatives(volumes)}`
  const names = volumes.map(({ name }) => name)
  return new BackupError(ErrorCode.VolumeMissing, message, { data: { names } })
}

function unmapped(message: string, where: string): BackupError {
  return new BackupError(ErrorCode.FileSystemUnmapped, message, { data: { where } })
}

function alternatives(volumes: readonly Volume[]): string {
  if (volumes.length === 0) return 'one with a file system, and there is none'
  const names = volumes.slice(0, NAMED_MAX).map(({ name }) => `"${name}"`)
  return `one of ${names.join(', ')}${volumes.length > NAMED_MAX ? ', …' : ''}`
}

/** Of an image without a file system that is read. */
function whatIsThere(stack: VolumeStack): string {
  const required = 'required is ext2, ext3, ext4 or XFS'
  const [only, ...others] = stack.volumes
  if (only !== undefined && others.length === 0 && stack.unmapped.length === 0)
    return `${describe(only)}, ${required}`
  const named = [
    ...stack.volumes.filter(({ name }) => name !== '').map((volume) => `${volume.name}: ${describe(volume)}`),
    ...stack.unmapped.map(({ name, reason }) => `${name}: ${reason}`),
  ]
  return `no volume in it has a file system that is read (${named.slice(0, NAMED_MAX).join('; ')}), ${required}`
}

function describe({ content }: Volume): string {
  switch (content.kind) {
    case 'partition-table':
      return 'it is a disk with a partition table'
    case 'physical-volume':
      return 'it is a physical volume of LVM'
    case 'file-system':
      return `it holds ${content.fileSystem.format}`
    case 'empty':
      return 'it begins and ends with zeros'
    case 'unmapped':
      return content.reason
  }
}
