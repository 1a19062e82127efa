import type { FrozenImage } from '../../domain/frozen-image.ts'
import { addFinding } from '../add-finding.ts'
import type { Finding } from '../finding.ts'
import { FormatError } from '../format-error.ts'
import type { GptHeader } from './header.ts'
import { headerPlaceOf, readGptCopy, readGptHeader, type GptCopy, type Sectors } from './read-copy.ts'

/** The copy that is used, and the other one when it is sound too. */
export type ChosenCopies = { readonly used: GptCopy; readonly other: GptCopy | null }

const PRIMARY_LBA = 1

/**
 * The primary copy when it is sound, else the backup. What is wrong with the other one, and where it differs, become
 * findings. Throws FormatError when neither is sound.
 */
export async function chooseGptCopy(
  image: FrozenImage,
  sectors: Sectors,
  findings: Finding[],
): Promise<ChosenCopies> {
  const primary = await attempt(image, 'primary', { lba: PRIMARY_LBA, sectors })
  const lastLba = sectors.count - 1
  if (primary.copy !== null) {
    const backupLba = primary.copy.header.otherLba
    const backup = await attempt(image, 'backup', { lba: backupLba, sectors })
    if (backup.error !== null) note(findings, backup.error)
    if (backup.copy !== null) compareCopies(primary.copy, backup.copy, findings)
    if (backup.copy !== null && backupLba !== lastLba) {
      // A disk that has grown.
      addFinding(
        findings,
        headerPlaceOf(backup.copy.place),
        `it is sector ${backupLba}, expected ${lastLba}, the last one of the disk`,
      )
    }
    return { used: primary.copy, other: backup.copy }
  }
  note(findings, primary.error)
  const places = new Set([lastLba, ...(primary.header === null ? [] : [primary.header.otherLba])])
  const errors: FormatError[] = []
  for (const lba of places) {
    const backup = await attempt(image, 'backup', { lba, sectors })
    if (backup.copy !== null) return { used: backup.copy, other: null }
    errors.push(backup.error)
  }
  const backups = errors.map((error) => `its ${error.structure} at byte ${error.offsetBytes}: ${error.found}`)
  throw new FormatError(primary.error, [primary.error.found, ...backups].join('; '))
}

type Attempt = { readonly header: GptHeader | null } & (
  | { readonly copy: GptCopy; readonly error: null }
  | { readonly copy: null; readonly error: FormatError }
)

async function attempt(
  image: FrozenImage,
  kind: 'primary' | 'backup',
  at: { readonly lba: number; readonly sectors: Sectors },
): Promise<Attempt> {
  let header: GptHeader | null = null
  try {
    const place = { kind, ...at }
    header = await readGptHeader(image, place)
    return { header, copy: await readGptCopy(image, place, header), error: null }
  } catch (error) {
    if (error instanceof FormatError) return { header, copy: null, error }
    throw error
  }
}

function note(findings: Finding[], error: FormatError): void {
  addFinding(findings, error, error.found)
}

/** Both copies are sound; when they disagree, one of them was forgotten by whoever wrote the other. */
function compareCopies(primary: GptCopy, backup: GptCopy, findings: Finding[]): void {
  const same: readonly (keyof GptHeader)[] = [
    'diskGuid',
    'firstUsableLba',
    'lastUsableLba',
    'entryCount',
    'entrySizeBytes',
    'entriesChecksum',
  ]
  const differing = same.filter((field) => String(primary.header[field]) !== String(backup.header[field]))
  const place = headerPlaceOf(backup.place)
  if (differing.length > 0) {
    addFinding(findings, place, `it differs from the primary one in ${differing.join(', ')}`)
  }
  if (backup.header.otherLba !== primary.place.lba) {
    addFinding(
      findings,
      place,
      `the other header is said to be sector ${backup.header.otherLba}, expected ${primary.place.lba}`,
    )
  }
}
