import { findProgram } from '../../src/linux/find-program.ts'
import { needsLoopDevices, type SkipReason } from '../support/requirements.ts'

/** Where Debian keeps the server programs of PostgreSQL, which are not on the path. */
const POSTGRESQL = [15, 16, 17, 18].map((version) => `/usr/lib/postgresql/${version}/bin`).join(':')

/** The file of a program; throws where `needsPrograms()` would have said so. */
export function programPath(name: string): string {
  const path = findProgram(name, `${POSTGRESQL}:${process.env['PATH'] ?? ''}`)
  if (path === null) throw new Error(`There is no program "${name}"`)
  return path
}

/** For tests of databases on file systems that are frozen. */
export function needsPrograms(...names: readonly string[]): SkipReason {
  const missing = names.filter(
    (name) => findProgram(name, `${POSTGRESQL}:${process.env['PATH'] ?? ''}`) === null,
  )
  return missing.length === 0 ? needsLoopDevices() : `needs ${missing.join(', ')}`
}
