import { UnmappedError } from '../format-error.ts'
import { chooseVolume, fileSystemVolumes, type FileSystemVolume } from './file-system-volumes.ts'
import type { VolumeStack } from './volume.ts'

/** More names would hide the sentence. */
const NAMED_MAX = 10

/**
 * The file system of the volume of that name, or the only one there is. Throws UnmappedError, which names those that
 * there are.
 */
export function selectFileSystem(stack: VolumeStack, name: string | null): FileSystemVolume {
  const all = fileSystemVolumes(stack)
  const chosen = chooseVolume(all, name)
  if (chosen !== null) return chosen
  if (all.length === 0) throw noFileSystem(stack)
  const names = all.slice(0, NAMED_MAX).map(({ volume }) => `"${volume.name}"`)
  const more = all.length > NAMED_MAX ? ` and ${all.length - NAMED_MAX} more` : ''
  const what = name === null ? `it has ${all.length} of them` : `none lies on "${name}"`
  throw new UnmappedError(
    'file system of a volume',
    `Cannot choose a file system: ${what}, required is the name of a volume: ${names.join(', ')}${more}`,
  )
}

function noFileSystem(stack: VolumeStack): UnmappedError {
  const [volume] = stack.volumes
  const reason = volume?.content.kind === 'unmapped' ? `: ${volume.content.reason}` : ''
  return new UnmappedError(
    'volume without a known file system',
    `Cannot find a file system: there is neither ext2, ext3, ext4 nor XFS on the source${reason}`,
  )
}
