import { isBackupError } from '../../domain/backup-error.ts'
import type { StoredPoint } from '../../domain/recovery-point.ts'
import type { Invocation } from '../invocation.ts'
import type { OpenSources } from '../open-backup-sources.ts'

/** The point is there, whatever becomes of its images: the next run then compares. */
export async function keepImages(
  { progress, signal }: Pick<Invocation, 'progress' | 'signal'>,
  sources: OpenSources,
  { id }: StoredPoint,
): Promise<void> {
  try {
    await sources.keep(id, signal)
  } catch (error) {
    if (!isBackupError(error)) throw error
    progress({
      event: 'notice',
      message: `The frozen image was not kept, the next run will compare: ${error.message}`,
    })
  }
}
