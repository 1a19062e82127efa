import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import {
  chooseVolume,
  fileSystemVolumes,
  type FileSystemVolume,
} from '../formats/volume-stack/file-system-volumes.ts'
import type { Volume, VolumeStack } from '../formats/volume-stack/volume.ts'

/** Names in a sentence: more of them would hide it. */
const NAMED_MAX = 20

/**
 * The volume of that name, or the only one with a file system. Throws VOLUME_MISSING, FILE_SYSTEM_UNMAPPED. `where` is
 * for the sentence.
 */
export function selectVolume(stack: VolumeStack, name: string | null, where: string): FileSystemVolume {
  const readable = fileSystemVolumes(stack)
  const chosen = chooseVolume(readable, name)
  if (chosen !== null) return chosen
  const names = readable.map(({ volume }) => volume.name)
  if (name === null) {
    if (names.length > 0) throw severalVolumes(names, where)
    throw unmapped(`Cannot read files of ${where}: ${whatIsThere(stack)}`, where)
  }
  const there = stack.volumes.find((volume) => volume.name === name)
  const refused = stack.unmapped.find((volume) => volume.name === name)
  if (there === undefined && refused === undefined) {
    const message = `Cannot find volume "${name}" of ${where}: required is ${alternatives(names)}`
    throw new BackupError(ErrorCode.VolumeMissing, message, { data: { volume: name, names } })
  }
  const reason = refused?.reason ?? (there === undefined ? '' : describe(there))
  throw unmapped(`Cannot read files of volume "${name}" of ${where}: ${reason}`, where)
}

function severalVolumes(names: readonly string[], where: string): BackupError {
  const message = `Cannot choose a volume of ${where}: ${names.length} have a file system, required is the name of ${alternatives(names)}`
  return new BackupError(ErrorCode.VolumeMissing, message, { data: { names } })
}

function unmapped(message: string, where: string): BackupError {
  return new BackupError(ErrorCode.FileSystemUnmapped, message, { data: { where } })
}

function alternatives(names: readonly string[]): string {
  if (names.length === 0) return 'one with a file system, and there is none'
  const some = names.slice(0, NAMED_MAX).map((name) => `"${name}"`)
  return `one of ${some.join(', ')}${names.length > NAMED_MAX ? ', …' : ''}`
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
