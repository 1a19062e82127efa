import { JOURNAL_SUPERBLOCK } from '../../../src/formats/ext4/journal/journal-layout.ts'
import { FieldList } from '../field-list.ts'
import type { Field } from '../structure.ts'

const TAGS_START = 12
const TAG_WORDS = 16

/** Of a block of the journal's own, by its kind: tags and revocations are rows of words. */
export function journalFields(kind: string): readonly Field[] {
  const list = new FieldList('big')
  if (kind === 'journal superblock') return list.addLayout(JOURNAL_SUPERBLOCK).all()
  list.add(4, { magic: 0, kind: 4, sequence: 8 })
  if (kind === 'journal commit') return list.add(1, { checksumKind: 12, checksumSize: 13 }).all()
  if (kind === 'journal revoke') {
    list.add(4, { revokedBytes: 12 })
    return list.addRow('revoked', { at: 16, width: 4, count: TAG_WORDS }).all()
  }
  list.addRow('tag', { at: TAGS_START, width: 4, count: TAG_WORDS })
  return list.addRow('tagFlags', { at: TAGS_START + 4, width: 2, count: TAG_WORDS }).all()
}
