import { stat } from 'node:fs/promises'
import { isBackupError } from '../../domain/backup-error.ts'
import { errnoMeaning } from '../../domain/errno.ts'
import { checkCacheFolder } from '../../host/doctor/cache-folder-check.ts'
import type { Finding } from '../../host/doctor/finding.ts'
import { checkPasswordSource, type PasswordFacts } from '../../host/doctor/password-source-check.ts'
import { checkRepositoryFacts, type RepositoryFacts } from '../../host/doctor/repository-check.ts'
import { spaceAt, writeFailureAt } from '../../linux/doctor/free-space.ts'
import { findProgram } from '../../linux/find-program.ts'
import { readConfig } from '../../repository/repository.ts'
import { DirectoryStore } from '../../stores/directory/directory-store.ts'
import { cacheFolderOf } from '../cache-folder.ts'
import type { Invocation } from '../invocation.ts'
import { openUnlocked } from '../open-repository.ts'
import type { PasswordSource, Settings } from '../settings.ts'

type Asked = Pick<Invocation, 'settings' | 'requireRepository' | 'askPassword'>

/** The repository of the settings, and what a run needs on this host to use it. Nobody is asked for a password. */
export async function lookAtRepository(invocation: Asked): Promise<readonly Finding[]> {
  const { settings } = invocation
  const facts = await repositoryFacts(invocation)
  const cache = cacheFolderOf(settings.cacheFolder)
  const isSealed = facts.kind === 'usable' && facts.encryption !== 'none'
  return [
    ...checkRepositoryFacts(facts),
    ...(isSealed || settings.passwordSource !== undefined
      ? [checkPasswordSource(await passwordFacts(settings.passwordSource))]
      : []),
    checkCacheFolder({
      path: cache,
      failure: await writeFailureAt(cache),
      freeBytes: (await spaceAt(cache))?.freeBytes ?? null,
    }),
  ]
}

async function repositoryFacts(invocation: Asked): Promise<RepositoryFacts> {
  const { settings } = invocation
  const path = settings.repository
  if (path === undefined) return { kind: 'not-named' }
  try {
    await using store = new DirectoryStore(path)
    const { encryption } = await readConfig(store)
    const space = await spaceAt(path)
    return {
      kind: 'usable',
      path,
      encryption,
      passwordFailure: await passwordFailureOf(invocation, encryption),
      writeFailure: await writeFailureAt(path),
      freeBytes: space?.freeBytes ?? null,
      sizeBytes: space?.sizeBytes ?? null,
    }
  } catch (error) {
    if (!isBackupError(error)) throw error
    return { kind: 'unusable', reason: error.message }
  }
}

async function passwordFailureOf(invocation: Asked, encryption: string): Promise<string | null> {
  // Who types it is not there when a timer runs the backup: whether it is right shows when it is typed.
  if (encryption !== 'none' && invocation.settings.passwordSource === undefined) return null
  try {
    await using _unlocked = await openUnlocked(invocation)
    return null
  } catch (error) {
    if (!isBackupError(error)) throw error
    return error.message
  }
}

async function passwordFacts(source: Settings['passwordSource']): Promise<PasswordFacts> {
  if (source === undefined) return { kind: 'none' }
  const { kind, origin } = source
  if (kind === 'text') return { kind, origin }
  if (kind === 'file') return await passwordFile(source)
  const [program = ''] = source.words
  const isThere = program.includes('/')
    ? (await modeOf(program)) !== null
    : findProgram(program, process.env['PATH']) !== null
  return { kind, origin, program, isThere }
}

async function passwordFile(source: PasswordSource & { readonly kind: 'file' }): Promise<PasswordFacts> {
  const { kind, origin, path } = source
  try {
    return { kind, origin, path, state: { mode: (await stat(path)).mode & 0o7777 } }
  } catch (error) {
    return { kind, origin, path, state: { failure: errnoMeaning(error) ?? String(error) } }
  }
}

async function modeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mode
  } catch {
    return null
  }
}
