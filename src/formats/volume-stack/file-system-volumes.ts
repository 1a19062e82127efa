import type { FileSystem } from '../file-system.ts'
import type { Volume, VolumeStack } from './volume.ts'

/** A volume with a file system that is read. */
export type FileSystemVolume = { readonly volume: Volume; readonly fileSystem: FileSystem }

/** All volumes whose files can be read. */
export function fileSystemVolumes(stack: VolumeStack): readonly FileSystemVolume[] {
  return stack.volumes.flatMap((volume): FileSystemVolume[] =>
    volume.content.kind === 'file-system' ? [{ volume, fileSystem: volume.content.fileSystem }] : [],
  )
}

/** The one of that name, or the only one there is; null where nothing says which one. */
export function chooseVolume(
  volumes: readonly FileSystemVolume[],
  name: string | null,
): FileSystemVolume | null {
  const found = name === null ? volumes : volumes.filter(({ volume }) => volume.name === name)
  const [first, ...others] = found
  return first !== undefined && others.length === 0 ? first : null
}
