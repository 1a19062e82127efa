import { findProgram } from '../../src/linux/find-program.ts'

/** Tools of administrators lie there, also for those whose PATH does not name the folders. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin']

export function hasTool(name: string): boolean {
  return findProgram(name, process.env['PATH']) !== null
}

/** Throws when one of the tools is missing, and names the packages that have them. */
export function requireTools(packageOf: Readonly<Record<string, string>>): void {
  const missing = Object.keys(packageOf).filter((tool) => !hasTool(tool))
  if (missing.length === 0) return
  const packages = [...new Set(missing.map((tool) => packageOf[tool]))].join(' ')
  throw new Error(`Cannot measure: ${missing.join(', ')} not found; run "apt-get install ${packages}"`)
}

/** So that a child finds what `hasTool` found. */
export function addSystemFoldersToPath(): void {
  process.env['PATH'] = [process.env['PATH'] ?? '', ...SYSTEM_FOLDERS].join(':')
}
