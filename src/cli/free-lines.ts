import { formatByteSize } from '../domain/byte-size.ts'
import type { ObjectLedger } from '../domain/ledger.ts'

/** More volumes say no more. */
const VOLUMES_SHOWN_MAX = 5

/** What was left out of an image because it is free, and on which of its volumes nothing could be. */
export function freeLines({ freeBytes, volumes }: Pick<ObjectLedger, 'freeBytes' | 'volumes'>): string[] {
  if (freeBytes === null) return []
  const proven = volumes.filter((volume) => volume.reason === null)
  const others = volumes.filter((volume) => volume.reason !== null && volume.format !== 'empty')
  const lines = freeBytes === 0 ? [] : [`    ${formatByteSize(freeBytes)} free, not read${whoseWord(proven)}`]
  for (const { name, format, reason } of others.slice(0, VOLUMES_SHOWN_MAX)) {
    lines.push(`    ${name === '' ? '' : `${name}: `}${format}, read whole: ${reason}`)
  }
  if (others.length > VOLUMES_SHOWN_MAX) {
    lines.push(`    ${others.length - VOLUMES_SHOWN_MAX} more volumes, read whole`)
  }
  return lines
}

function whoseWord(proven: readonly { readonly name: string; readonly format: string }[]): string {
  const shown = proven
    .slice(0, VOLUMES_SHOWN_MAX)
    .map(({ name, format }) => (name === '' ? format : `${name} ${format}`))
  if (shown.length === 0) return ''
  const more = proven.length - shown.length
  return ` (${shown.join(', ')}${more > 0 ? `, ${more} more` : ''})`
}
