import type { BaseDraft, Kind } from './base.ts'
import { makeExt4Images, makeXfsImages } from './make-file-systems.ts'
import { makeFileSetImages } from './make-file-set.ts'
import { makeGroups, makeSnapshotImages, makeStack, makeTables, makeThinImages } from './make-volumes.ts'

/** Has the real tools make small sound images of a kind in a folder. */
export async function makeImages(kind: Kind, folder: string): Promise<BaseDraft[]> {
  switch (kind) {
    case 'ext4':
      return makeExt4Images(folder)
    case 'xfs':
      return makeXfsImages(folder)
    case 'lvm2':
      return makeGroups(folder)
    case 'dm-thin':
      return makeThinImages(folder)
    case 'dm-snapshot':
      return makeSnapshotImages(folder)
    case 'gpt':
    case 'mbr':
      return makeTables(folder, kind)
    case 'file-set':
      return await makeFileSetImages(folder)
    case 'stack':
      return makeStack(folder)
  }
}
