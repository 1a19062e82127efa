// The blocks of a journal that have a meaning: the kernel's "ext4 Data Structures and Algorithms", section "Journal
// (jbd2)". All numbers are big-endian.
import { ext4Checksum } from '../../../src/formats/ext4/checksum.ts'
import type { Superblock } from '../../../src/formats/ext4/superblock.ts'
import { journalFields } from '../fields/journal-fields.ts'
import { rewrite, viewOf, type LocalStructure, type Target } from '../structure.ts'

const MAGIC = 0xc03b3998
const KINDS = [
  '',
  'journal descriptor',
  'journal commit',
  'journal superblock',
  'journal superblock',
  'journal revoke',
]
const COMMIT_CHECKSUM = 0x10
const SUPERBLOCK_CHECKSUM = 0xfc

export function findJournal(
  target: Target,
  blocks: readonly number[],
  { blockSizeBytes: length }: Superblock,
): LocalStructure[] {
  const first = blocks[0]
  if (first === undefined) return []
  const seed = ext4Checksum(target.read(first * length + 0x30, 16))
  return blocks.flatMap((block): LocalStructure[] => {
    const run = { offset: block * length, length }
    const view = viewOf(target.read(run.offset, length))
    const kind = view.getUint32(0) === MAGIC ? KINDS[view.getUint32(4)] : undefined
    if (kind === undefined || kind === '') return []
    const fields = (): ReturnType<typeof journalFields> => journalFields(kind)
    return [{ kind, ...run, blockBytes: length, fields, mend: (mended) => mendBlock(mended, run, seed) }]
  })
}

function mendBlock(
  target: Target,
  run: { readonly offset: number; readonly length: number },
  seed: number,
): void {
  rewrite(target, run, (bytes, view) => {
    const kind = KINDS[view.getUint32(4)] ?? ''
    const isSuperblock = kind === 'journal superblock'
    const checked = isSuperblock ? bytes.subarray(0, 1024) : bytes
    let at = run.length - 4
    if (isSuperblock) at = SUPERBLOCK_CHECKSUM
    else if (kind === 'journal commit') at = COMMIT_CHECKSUM
    view.setUint32(at, 0)
    view.setUint32(at, isSuperblock ? ext4Checksum(checked) : ext4Checksum(checked, seed))
  })
}
