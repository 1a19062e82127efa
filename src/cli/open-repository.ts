import { randomBytes } from 'node:crypto'
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BackupError, ErrorCode } from '../domain/backup-error.ts'
import type { LaneSetUp } from '../lane/lane-messages.ts'
import type { Secret } from '../repository/key-slot.ts'
import { loadIndex, type LoadedIndex } from '../repository/load-index.ts'
import { cachedNodes } from '../repository/node-cache.ts'
import { nodeReader, type NodeReader } from '../repository/node-reader.ts'
import { parseRecoveryKey } from '../repository/recovery-key.ts'
import { openRepository, type Repository } from '../repository/repository.ts'
import { DirectoryStore } from '../stores/directory/directory-store.ts'
import { LeftOutCache } from '../stores/left-out/left-out-cache.ts'
import { LocalIndex, LocalIndexLocator } from '../stores/local-index/local-index.ts'
import { cacheFolderOf } from './cache-folder.ts'
import type { Invocation } from './invocation.ts'

/** A repository with its password answered, its index not loaded: enough for points, keys and rules. */
export type UnlockedRepository = AsyncDisposable & {
  readonly repository: Repository
  readonly store: DirectoryStore
}

/** A repository with its index: chunks can be found. */
export type IndexedRepository = UnlockedRepository & {
  readonly index: LoadedIndex<LocalIndex>
  readonly locator: LocalIndexLocator
  readonly nodes: NodeReader
  /** What a lane's thread needs to read and write there itself. */
  readonly laneSetUp: LaneSetUp
}

/** Opens the repository that the settings name. `writerId` is given by commands that write. */
export async function openUnlocked(
  invocation: Pick<Invocation, 'requireRepository' | 'askPassword' | 'settings'>,
  options: { readonly writerId?: string } = {},
): Promise<UnlockedRepository> {
  const writerId = options.writerId ?? randomBytes(8).toString('hex')
  const store = new DirectoryStore(invocation.requireRepository(), { writerId })
  try {
    const repository = await openRepository(store, async () => secretOf(await invocation.askPassword('open')))
    requireExpectedEncryption(repository, invocation.settings)
    return { repository, store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

/** As `openUnlocked`, and brings the local index up to date. */
export async function openIndexed(
  invocation: Pick<Invocation, 'requireRepository' | 'askPassword' | 'settings'>,
): Promise<IndexedRepository> {
  const unlocked = await openUnlocked(invocation)
  try {
    const indexed = await withIndex(unlocked, invocation.settings.cacheFolder)
    return {
      ...indexed,
      async [Symbol.asyncDispose]() {
        await indexed[Symbol.asyncDispose]()
        await unlocked[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await unlocked[Symbol.asyncDispose]()
    throw error
  }
}

/** Brings the local index of an open repository up to date; what is returned borrows the repository. */
export async function withIndex(
  unlocked: UnlockedRepository,
  cacheFolder: string | undefined,
): Promise<IndexedRepository> {
  const { repository, store } = unlocked
  const { sealing, packs, config } = repository
  const folder = indexFolder(cacheFolder, config.id)
  const openLocal = (segments: ReadonlySet<string>): LocalIndex => LocalIndex.open(folder.path, segments)
  const index = await loadIndex({ store, sealing, packs, openLocal })
  const handle = index.local.handle([...index.condemned])
  const locator = new LocalIndexLocator(handle)
  const address = { kind: 'directory', path: store.description, writerId: store.writerId } as const
  return {
    ...unlocked,
    index,
    locator,
    nodes: cachedNodes(nodeReader(packs, locator)),
    laneSetUp: { store: address, config, keys: sealing.keys, index: handle },
    async [Symbol.asyncDispose]() {
      index.local[Symbol.dispose]()
      folder[Symbol.dispose]()
      await Promise.resolve()
    },
  }
}

/** What is known here of what was left out of the repository's points. */
export function leftOutCache(
  { repository }: UnlockedRepository,
  { settings, randomness }: Pick<Invocation, 'settings' | 'randomness'>,
): LeftOutCache {
  const { sealing, config } = repository
  const folder = join(cacheFolderOf(settings.cacheFolder), 'left-out', config.id)
  return new LeftOutCache({ folder, sealing, randomBytes: (count) => randomness.bytes(count) })
}

/**
 * Somebody who may write to the store could put a configuration without encryption there, and everything from
 * then on would be stored for all to read. Who gives a password expects it to be used.
 */
function requireExpectedEncryption(repository: Repository, settings: Invocation['settings']): void {
  if (repository.config.encryption !== 'none' || settings.passwordSource === undefined) return
  const { origin } = settings.passwordSource
  const message = `Cannot open repository "${repository.store.description}": it is not encrypted, but ${origin} gives a password`
  throw new BackupError(ErrorCode.EncryptionMissing, message, { data: { origin } })
}

/** A recovery key may be given wherever a password is asked for. */
export function secretOf(text: string): Secret {
  try {
    const key = parseRecoveryKey(text)
    return key === null ? { kind: 'password', password: text } : { kind: 'recovery', key }
  } catch (cause) {
    throw new BackupError(ErrorCode.PasswordWrong, cause instanceof Error ? cause.message : String(cause), {
      cause,
    })
  }
}

/** Where the copy of the index lies; a folder that goes away again when there is no place for a lasting one. */
function indexFolder(
  configured: string | undefined,
  repositoryId: string,
): { readonly path: string } & Disposable {
  const path = join(cacheFolderOf(configured), 'index', repositoryId)
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return { path, [Symbol.dispose]: () => {} }
  } catch {
    const temporary = mkdtempSync(join(tmpdir(), 'icecore-index-'))
    return { path: temporary, [Symbol.dispose]: () => rmSync(temporary, { recursive: true, force: true }) }
  }
}
