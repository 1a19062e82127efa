import { formatRecoveryKey } from '../repository/recovery-key.ts'
import { writeNewSecretFile } from './new-secret-file.ts'

/** Writes a recovery key to a new file that only its owner may read. Throws USAGE_WRONG. */
export async function writeRecoveryKeyFile(path: string, key: Uint8Array): Promise<void> {
  await writeNewSecretFile(path, { what: 'the recovery key', line: formatRecoveryKey(key) })
}
