/** An entry of package-lock.json, as far as this folder cares. */
export type LockEntry = {
  version?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

/** The `packages` of a lock file: folder of a package (`node_modules/…`) to its entry. */
export type LockedPackages = Record<string, LockEntry>

export type MissingPackage = {
  readonly name: string
  readonly version: string
  readonly dev: boolean
}

const OPERATING_SYSTEMS = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'win32',
]
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64']
/** What some packages call them instead. */
const OTHER_NAMES: Readonly<Record<string, string>> = { aarch64: 'arm64', armv7: 'arm' }
const C_LIBRARIES: Readonly<Record<string, string>> = {
  gnu: 'glibc',
  gnueabihf: 'glibc',
  musl: 'musl',
  musleabihf: 'musl',
}

/**
 * Optional packages (the native parts of a tool for other systems) that a locked package names and the lock does
 * not hold. npm leaves them out when the registry it asked lacks them, and then `npm ci` refuses its own lock.
 */
export function missingOptionalPackages(packages: LockedPackages): MissingPackage[] {
  const missing = new Map<string, MissingPackage>()
  for (const [folder, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (packages[`${folder}/node_modules/${name}`] !== undefined) continue
      if (packages[`node_modules/${name}`] !== undefined) continue
      missing.set(name, { name, version, dev: entry.dev === true })
    }
  }
  return [...missing.values()]
}

/**
 * The entry that makes npm skip such a package here and fetch it where it fits. The systems are in its name.
 * Throws SyntaxError when they are not, or when the version is not one version.
 */
export function entryOfPlatformPackage(missing: MissingPackage): LockEntry {
  const words = missing.name.split(/[^a-z0-9]+/)
  const os = words.filter((word) => OPERATING_SYSTEMS.includes(word))
  const cpu = words.map((word) => OTHER_NAMES[word] ?? word).filter((word) => PROCESSORS.includes(word))
  const libc = words.map((word) => C_LIBRARIES[word]).filter((word) => word !== undefined)
  if (os.length !== 1 || cpu.length !== 1 || !/^\d+\.\d+\.\d+$/.test(missing.version)) {
    throw new SyntaxError(
      `Cannot lock "${missing.name}@${missing.version}": expected a system, a processor and one version`,
    )
  }
  return {
    version: missing.version,
    ...(missing.dev ? { dev: true } : {}),
    optional: true,
    os,
    cpu,
    ...(libc.length > 0 && os[0] === 'linux' ? { libc } : {}),
  }
}
