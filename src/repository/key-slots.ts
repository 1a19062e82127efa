import assert from 'node:assert/strict'
import { BackupError, ErrorCode, isBackupError } from '../domain/backup-error.ts'
import { configBinding, encodeConfig, KEY_SLOTS_MAX, parseConfig, type RepositoryConfig } from './config.ts'
import { createKeySlot, openKeySlot, type KeySlot, type NewSlot, type Secret } from './key-slot.ts'
import { CONFIG_NAME } from './object-names.ts'
import { readConfig, unlock } from './repository.ts'
import type { Store } from './store.ts'

const ID_PREFIX_LENGTH_MIN = 4

/** The slot of a number, from 1 on in the order of the list, or of the first digits of an id. Throws KEY_SLOT_MISSING. */
export function selectKeySlot(slots: readonly KeySlot[], selector: string): KeySlot {
  // No number has more than two digits, and no prefix fewer than four: one is never taken for the other.
  const isNumber = /^[1-9]\d?$/.test(selector)
  const isPrefix = selector.length >= ID_PREFIX_LENGTH_MIN
  const found = slots.filter((slot, index) =>
    isNumber ? index + 1 === Number(selector) : isPrefix && slot.id.startsWith(selector),
  )
  const [slot, ...others] = found
  if (slot !== undefined && others.length === 0) return slot
  const finding =
    others.length > 0 ? `${found.length} ids begin so` : `there are ${slots.length}, and it is none of them`
  const message = `Cannot find key slot "${selector}": ${finding}, required is a number or the first ${ID_PREFIX_LENGTH_MIN} digits of an id`
  throw new BackupError(ErrorCode.KeySlotMissing, message, { data: { selector } })
}

/** The configuration with one more slot, which was tried: it opens with its secret. Throws USAGE_WRONG when it is full. */
export async function withKeySlot(
  config: RepositoryConfig,
  made: Omit<NewSlot, 'binding'>,
): Promise<{ readonly next: RepositoryConfig; readonly slot: KeySlot }> {
  if (config.keySlots.length >= KEY_SLOTS_MAX) {
    const message = `Cannot add a key slot: the repository has ${config.keySlots.length}, at most ${KEY_SLOTS_MAX} are possible`
    throw new BackupError(ErrorCode.UsageWrong, message)
  }
  const binding = configBinding(config)
  const slot = await createKeySlot({ ...made, binding })
  const opened = await openKeySlot(slot, { secret: made.secret, binding })
  assert(opened !== null && Buffer.compare(opened, made.masterKey) === 0)
  return { next: { ...config, keySlots: [...config.keySlots, slot] }, slot }
}

/**
 * The configuration without a slot. It must not be the last one, nor the only recovery key: a password that is
 * forgotten must not be the end of every backup. Throws KEY_SLOT_NEEDED.
 */
export function withoutKeySlot(config: RepositoryConfig, slot: KeySlot): RepositoryConfig {
  const keySlots = config.keySlots.filter((other) => other.id !== slot.id)
  assert(keySlots.length === config.keySlots.length - 1)
  const needed = (finding: string): BackupError =>
    new BackupError(
      ErrorCode.KeySlotNeeded,
      `Cannot remove key slot ${slot.id} ("${slot.label}"): ${finding}`,
      {
        data: { slotId: slot.id },
      },
    )
  if (keySlots.length === 0) throw needed('it is the last one, required is another that opens the repository')
  if (slot.kind === 'recovery' && keySlots.every((other) => other.kind !== 'recovery')) {
    throw needed('it is the only recovery key, required is another recovery key')
  }
  return { ...config, keySlots }
}

/**
 * Throws KEY_SLOT_NEEDED when `secret` opens only what is about to be removed, and PASSWORD_WRONG when it opens
 * nothing: who removes a slot must be seen to hold another.
 */
export async function requireOpens(
  configs: { readonly now: RepositoryConfig; readonly next: RepositoryConfig },
  open: { readonly secret: Secret; readonly where: string },
): Promise<void> {
  try {
    await unlock(configs.next, open)
  } catch (error) {
    if (!isBackupError(error, ErrorCode.PasswordWrong)) throw error
    await unlock(configs.now, open)
    const message =
      'Cannot remove the key slot: the password opens no other one, required is the password or key of a slot that stays'
    throw new BackupError(ErrorCode.KeySlotNeeded, message, { cause: error })
  }
}

/**
 * Puts `next` in place of `now`, and reads it back. The configuration is read again just before: when another
 * command has changed it since, nothing is written and CONFIG_CHANGED is thrown. Stores have no lock, so that a
 * change between this look and the write is found by the read-back, as CONFIG_CHANGED too.
 */
export async function replaceConfig(
  store: Store,
  change: { readonly now: RepositoryConfig; readonly next: RepositoryConfig },
): Promise<void> {
  const bytes = encodeConfig(change.next)
  parseConfig(bytes, store.description) // read back before it can be written
  await requireConfig(store, change.now, 'another command has changed it meanwhile, nothing was changed')
  await store.replace(CONFIG_NAME, bytes)
  await store.flush()
  await requireConfig(store, change.next, 'another command has changed it at the same moment')
}

async function requireConfig(store: Store, expected: RepositoryConfig, finding: string): Promise<void> {
  const found = await readConfig(store)
  if (Buffer.compare(encodeConfig(found), encodeConfig(expected)) === 0) return
  const message = `Cannot change the configuration of repository "${store.description}": ${finding}`
  throw new BackupError(ErrorCode.ConfigChanged, message)
}
