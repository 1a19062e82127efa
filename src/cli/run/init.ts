import { formatByteSize } from '../../domain/byte-size.ts'
import type { RepositoryConfig } from '../../repository/config.ts'
import { formatRecoveryKey } from '../../repository/recovery-key.ts'
import { createRepository } from '../../repository/repository.ts'
import { DirectoryStore } from '../../stores/directory/directory-store.ts'
import type { INIT } from '../commands/init.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { writeRecoveryKeyFile } from '../recovery-key-file.ts'

/** Measured in docs/decisions/0004-chunk-size.md. */
const CHUNK_SIZE_DEFAULT_BYTES = 128 * 1024
const RECOVERY_KEY_SIZE = 32

export async function runInit(invocation: InvocationOf<typeof INIT>): Promise<CommandResult> {
  const { options, clock, randomness } = invocation
  const path = invocation.arguments.repository ?? invocation.requireRepository()
  const recoveryKey = options.encryption ? randomness.bytes(RECOVERY_KEY_SIZE) : null
  await using store = new DirectoryStore(path)
  const secrets = recoveryKey === null ? [] : await secretsOf(invocation, recoveryKey)
  const config = await createRepository(store, {
    chunkSizeBytes: options.chunkSize ?? CHUNK_SIZE_DEFAULT_BYTES,
    compression: options.compression,
    secrets,
    clock,
    randomness,
  })
  const keyText = recoveryKey === null ? null : formatRecoveryKey(recoveryKey)
  return {
    json: {
      repository: path,
      repositoryId: config.id,
      chunkSizeBytes: config.chunkSizeBytes,
      compression: config.compression,
      encryption: config.encryption,
      recoveryKey: options.recoveryKeyFile === undefined ? keyText : null,
      recoveryKeyFile: options.recoveryKeyFile ?? null,
    },
    text: describe(path, config, { keyText, file: options.recoveryKeyFile }),
    exitCode: ExitCode.Done,
  }
}

/** The recovery key is kept before anything is encrypted with it. */
async function secretsOf(
  invocation: InvocationOf<typeof INIT>,
  recoveryKey: Uint8Array,
): Promise<Parameters<typeof createRepository>[1]['secrets']> {
  const password = await invocation.askPassword('create')
  const file = invocation.options.recoveryKeyFile
  if (file !== undefined) await writeRecoveryKeyFile(file, recoveryKey)
  return [
    { secret: { kind: 'password', password }, label: 'password' },
    { secret: { kind: 'recovery', key: recoveryKey }, label: 'recovery key' },
  ]
}

function describe(
  path: string,
  config: RepositoryConfig,
  key: { keyText: string | null; file: string | undefined },
): string {
  const sealed = config.encryption === 'none' ? 'NOT encrypted' : 'encrypted with AES-256-GCM'
  const compressed =
    config.compression.algorithm === 'none' ? 'not compressed' : `zstd level ${config.compression.level}`
  const lines = [
    `Made repository ${path}`,
    `  ${sealed}, ${compressed}, chunks of ${formatByteSize(config.chunkSizeBytes)}`,
  ]
  if (key.file !== undefined)
    lines.push(`  The recovery key is in ${key.file}: keep it away from this machine.`)
  else if (key.keyText !== null) {
    lines.push(
      '',
      'The recovery key. It opens the repository when the password is lost, and is shown only now:',
      '',
      `  ${key.keyText}`,
      '',
      'Write it down, or print it, and keep it away from this machine.',
    )
  }
  lines.push('', `Next: icecore backup SOURCE -r ${path}`)
  return lines.join('\n')
}
