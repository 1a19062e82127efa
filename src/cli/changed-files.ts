import { formatPathBytes } from '../domain/path-text.ts'
import type { FileChange } from '../restore/changed-files.ts'

const LETTERS: Readonly<Record<FileChange['kind'], string>> = {
  added: '+',
  removed: '-',
  modified: 'M',
  metadata: 'm',
  renamed: 'R',
}
const NOUNS: Readonly<Record<FileChange['kind'], string>> = {
  added: 'added',
  removed: 'removed',
  modified: 'modified',
  metadata: 'with other metadata only',
  renamed: 'renamed',
}

/** `M /etc/fstab`, `R /a -> /b (mode)`; with a prefix `M p1:/etc/fstab`. */
export function changeLine(change: FileChange, volumePrefix: string): string {
  const path = volumePrefix + formatPathBytes(change.path)
  const previous = change.previousPath === null ? '' : volumePrefix + formatPathBytes(change.previousPath)
  const way = previous === '' ? path : `${previous} -> ${path}`
  const slash = change.node.kind === 'directory' && change.kind !== 'metadata' ? '/' : ''
  const isNamed = change.kind === 'metadata' || (change.kind === 'renamed' && change.fields.length > 0)
  const fields = isNamed ? ` (${change.fields.join(', ')})` : ''
  return `${LETTERS[change.kind]} ${way}${slash}${fields}`
}

/** `3 added, 1 renamed`. */
export function changeSum(changes: readonly FileChange[]): string {
  if (changes.length === 0) return 'No file differs'
  const kinds = ['added', 'removed', 'modified', 'renamed', 'metadata'] as const
  const parts = kinds.map(
    (kind) => [changes.filter((change) => change.kind === kind).length, NOUNS[kind]] as const,
  )
  return parts
    .filter(([count]) => count > 0)
    .map(([count, noun]) => `${count} ${noun}`)
    .join(', ')
}

/** An entry of `changes` in `diff --files --json`. */
export function changeJson(change: FileChange, volume: string): Readonly<Record<string, unknown>> {
  const { kind, path, previousPath, node, fields } = change
  return {
    change: kind,
    volume,
    path: formatPathBytes(path),
    ...(previousPath === null ? {} : { previousPath: formatPathBytes(previousPath) }),
    kind: node.kind,
    sizeBytes: node.sizeBytes,
    fields,
  }
}
