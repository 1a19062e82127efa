import { type Finding, ok, warning } from './finding.ts'

export type NativeFacts = {
  readonly nodeVersion: string
  /** Why the native library cannot be used; null when it can. */
  readonly libraryAbsence: string | null
  /** Why the fast codec is not used; null when it is. */
  readonly codecAbsence: string | null
}

/** Without native code everything works, only slower, and nothing can be frozen. */
export function checkNative({ nodeVersion, libraryAbsence, codecAbsence }: NativeFacts): Finding {
  const absence = libraryAbsence ?? codecAbsence
  if (absence === null)
    return ok('native-library', `Node.js ${nodeVersion} with the native library and the fast codec`)
  const lost =
    libraryAbsence === null
      ? 'backups are slower'
      : 'backups are slower, and no file system or clone can be frozen'
  const advice = absence.includes('ICECORE_NATIVE')
    ? 'Take ICECORE_NATIVE=off out of the environment'
    : 'Run `npm ci` again on this machine: the library is a part of the package for its system and processor'
  return warning('native-library', `Node.js ${nodeVersion} without native code: ${absence}; ${lost}`, advice)
}
