import type { ExtendedAttribute } from '../../file-system.ts'
import { FormatError, UnmappedError } from '../../format-error.ts'
import type { InodeFork } from '../fork-extents.ts'
import type { Inode } from '../inode.ts'
import type { XfsVolume } from '../volume.ts'
import { isVisible, shownAttribute } from './raw-attribute.ts'
import { readRemoteValue } from './remote-value.ts'
import { parseShortForm } from './short-form.ts'
import { walkAttributeLeaves } from './walk-leaves.ts'

/** The kernel lists at most 64 KiB of names; all names and values of a file are held in memory at once. */
const ATTRIBUTES_BYTES_MAX = 64 * 2 ** 20

/** The attributes that root sees, in the order in which they lie. */
export async function readAttributes(volume: XfsVolume, inode: Inode): Promise<readonly ExtendedAttribute[]> {
  const fork = inode.attributes
  if (fork === null) return []
  if (fork.format === 'local') {
    const place = { structure: `${inode.place.structure}, attributes`, offsetBytes: fork.offsetBytes }
    const attributes = parseShortForm(fork.bytes, place)
    return attributes.filter(({ flags }) => isVisible(flags)).map(shownAttribute)
  }
  if (fork.format === 'extents' && fork.extentCount === 0) return []
  return await readFromBlocks(volume, { inode, fork })
}

async function readFromBlocks(volume: XfsVolume, file: InodeFork): Promise<readonly ExtendedAttribute[]> {
  const shown: ExtendedAttribute[] = []
  let sizeBytes = 0
  for await (const { attributes } of walkAttributeLeaves(volume, file)) {
    for (const { flags, name, value: found } of attributes) {
      if (!isVisible(flags)) continue
      if (name.byteLength === 0) throw new FormatError(file.inode.place, 'it has an attribute without a name')
      const value = found instanceof Uint8Array ? found : await readRemoteValue(volume, file, found)
      sizeBytes += name.byteLength + value.byteLength
      if (sizeBytes > ATTRIBUTES_BYTES_MAX) throw tooLarge(file)
      shown.push(shownAttribute({ flags, name, value }))
    }
  }
  return shown
}

function tooLarge({ inode }: InodeFork): UnmappedError {
  return new UnmappedError(
    'attributes of more than 64 MiB',
    `The attributes of ${inode.place.structure} are more than ${ATTRIBUTES_BYTES_MAX} bytes, which are not read`,
  )
}
