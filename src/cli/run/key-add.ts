import { rm } from 'node:fs/promises'
import type { Secret } from '../../repository/key-slot.ts'
import { replaceConfig, withKeySlot } from '../../repository/key-slots.ts'
import { readConfig, unlock } from '../../repository/repository.ts'
import type { KEY_ADD } from '../commands/key.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { openKeys, requireEncrypted } from '../open-keys.ts'
import { secretOf } from '../open-repository.ts'
import { readPassword } from '../password.ts'
import { writeRecoveryKeyFile } from '../recovery-key-file.ts'
import { usageFailure } from '../usage-failure.ts'

type KeyAddInvocation = InvocationOf<typeof KEY_ADD>

const COMMAND = 'icecore key add'
const RECOVERY_KEY_SIZE = 32
const LABEL_LENGTH_MAX = 200

/** Adds a password, or makes a recovery key and adds that. */
export async function runKeyAdd(invocation: KeyAddInvocation): Promise<CommandResult> {
  const { options, clock, randomness } = invocation
  requireFit(invocation)
  await using keys = await openKeys(invocation)
  const { store, config } = keys
  requireEncrypted(config, COMMAND)
  const secret = secretOf(await invocation.askPassword('open'))
  const masterKey = await unlock(config, { secret, where: store.description })
  const added = await newSecret(invocation)
  const label = options.label ?? (added.kind === 'recovery' ? 'recovery key' : 'password')
  const { next, slot } = await withKeySlot(config, {
    masterKey,
    secret: added,
    label,
    createdAt: clock.now().toISOString(),
    randomBytes: (count) => randomness.bytes(count),
  })
  const { id, kind, createdAt } = slot
  await withKeyFile(
    { file: options.recoveryKeyFile, added },
    () => replaceConfig(store, { now: config, next }),
    {
      isKept: async () => (await readConfig(store)).keySlots.some((each) => each.id === id),
    },
  )
  const number = next.keySlots.length
  const file = options.recoveryKeyFile
  const lines = [`Added key slot ${number} (${kind}, "${label}")`]
  if (file !== undefined) lines.push(`  The recovery key is in ${file}: keep it away from this machine.`)
  return {
    json: { number, id, kind, label, createdAt, recoveryKeyFile: file ?? null },
    text: lines.join('\n'),
    exitCode: ExitCode.Done,
  }
}

function requireFit({ options }: KeyAddInvocation): void {
  if (options.newPasswordFile !== undefined && options.recoveryKeyFile !== undefined) {
    throw usageFailure(
      COMMAND,
      '--new-password-file and --recovery-key-file are given, required is one of them',
    )
  }
  const length = options.label?.length ?? 0
  if (length > LABEL_LENGTH_MAX) {
    throw usageFailure(
      COMMAND,
      `--label: it has ${length} characters, at most ${LABEL_LENGTH_MAX} are possible`,
    )
  }
}

/** The settings name the key that opens the repository now; a new one comes from its own file, or from a person. */
async function newSecret(invocation: KeyAddInvocation): Promise<Secret> {
  const { options, randomness, terminal, progress, signal } = invocation
  if (options.recoveryKeyFile !== undefined) {
    return { kind: 'recovery', key: randomness.bytes(RECOVERY_KEY_SIZE) }
  }
  const path = options.newPasswordFile
  const source =
    path === undefined ? undefined : ({ kind: 'file', path, origin: '--new-password-file' } as const)
  const notice = (message: string): void => progress({ event: 'notice', message })
  const password = await readPassword({ source, purpose: 'create', notice }, terminal, signal)
  // It would be taken for a recovery key whenever it is typed, and open nothing.
  if (password.trim().startsWith('icecore-recovery-')) {
    throw usageFailure(COMMAND, 'the new password has the form of a recovery key, required is another one')
  }
  return { kind: 'password', password }
}

/** A recovery key is kept before it opens anything; when it came to open nothing, its file goes again. */
async function withKeyFile(
  key: { readonly file: string | undefined; readonly added: Secret },
  replace: () => Promise<void>,
  { isKept }: { readonly isKept: () => Promise<boolean> },
): Promise<void> {
  if (key.file === undefined || key.added.kind !== 'recovery') return await replace()
  await writeRecoveryKeyFile(key.file, key.added.key)
  try {
    await replace()
  } catch (error) {
    // Who cannot say whether the slot is there keeps its key.
    if (!(await isKept().catch(() => true))) await rm(key.file, { force: true })
    throw error
  }
}
