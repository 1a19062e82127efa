import { randomBytes } from 'node:crypto'
import type { RepositoryConfig } from '../repository/config.ts'
import { readConfig } from '../repository/repository.ts'
import type { Store } from '../repository/store.ts'
import { DirectoryStore } from '../stores/directory/directory-store.ts'
import type { Invocation } from './invocation.ts'
import { usageFailure } from './usage-failure.ts'

/** A repository as far as it can be read without a password. */
export type KeyRing = AsyncDisposable & { readonly store: Store; readonly config: RepositoryConfig }

export async function openKeys(invocation: Pick<Invocation, 'requireRepository'>): Promise<KeyRing> {
  const store = new DirectoryStore(invocation.requireRepository(), {
    writerId: randomBytes(8).toString('hex'),
  })
  return { store, config: await readConfig(store), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

/** Throws USAGE_WRONG for a repository that has no keys at all. */
export function requireEncrypted(config: RepositoryConfig, command: string): void {
  if (config.encryption !== 'none') return
  throw usageFailure(command, 'the repository is not encrypted, it has no keys')
}
