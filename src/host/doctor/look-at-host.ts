import { isBackupError } from '../../domain/backup-error.ts'
import type { Clock } from '../../domain/clock.ts'
import type { Randomness } from '../../domain/randomness.ts'
import { portableReason } from '../../lane/choose-codec.ts'
import { kernelFacts } from '../../linux/doctor/kernel-features.ts'
import { lvmVersions } from '../../linux/doctor/lvm-versions.ts'
import { ownPrivileges } from '../../linux/doctor/privileges.ts'
import { nativeAbsence } from '../../linux/native.ts'
import { startWatchdog } from '../../linux/watchdog/start-watchdog.ts'
import { heldImages, isAbandoned } from '../held-images.ts'
import type { Finding } from './finding.ts'
import { checkHeldImages } from './held-images-check.ts'
import { checkKernel } from './kernel-check.ts'
import { checkLvmTools } from './lvm-tools-check.ts'
import { checkNative } from './native-check.ts'
import { checkPrivileges } from './privileges-check.ts'
import { checkWatchdog, type WatchdogTrial } from './watchdog-check.ts'

export type Chance = { readonly clock: Clock; readonly randomness: Randomness }

/** What every host needs that freezes or reads. */
export async function lookAtHost(
  parts: Chance & { readonly needed: 'all' | 'own' },
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  return [
    checkPrivileges(await ownPrivileges(), parts.needed),
    checkNative({
      nodeVersion: process.versions.node,
      libraryAbsence: nativeAbsence(),
      codecAbsence: portableReason(),
    }),
    checkLvmTools(await lvmVersions(signal)),
    ...checkKernel(await kernelFacts(signal)),
    checkWatchdog(await tryWatchdog(parts)),
    ...(await lookAtHeldImages(parts, signal)),
  ]
}

async function tryWatchdog({ randomness }: Chance): Promise<WatchdogTrial> {
  try {
    await using watchdog = await startWatchdog({ runId: randomness.bytes(8).toHex(), logPath: null })
    return { failure: null, canFreeze: watchdog.canFreeze }
  } catch (error) {
    if (!isBackupError(error)) throw error
    return { failure: error.message, canFreeze: false }
  }
}

async function lookAtHeldImages(parts: Chance, signal: AbortSignal): Promise<readonly Finding[]> {
  const now = parts.clock.now()
  try {
    const held = await heldImages(parts, signal)
    return checkHeldImages(
      held.map(({ image }) => ({
        label: image.label,
        source: image.source,
        ageMs: now.getTime() - image.createdAtMs,
        isAbandoned: isAbandoned(image, now),
        isBase: image.use.kind === 'base',
        ...image.cost,
      })),
    )
  } catch (error) {
    if (!isBackupError(error)) throw error
    return checkHeldImages([], error.message)
  }
}
