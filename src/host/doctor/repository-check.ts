import { formatByteSize } from '../../domain/byte-size.ts'
import { type Finding, ok, unknown, warning, wrong } from './finding.ts'

export type RepositoryFacts =
  | { readonly kind: 'not-named' }
  | { readonly kind: 'unusable'; readonly reason: string }
  | {
      readonly kind: 'usable'
      readonly path: string
      readonly encryption: 'none' | 'aes-256-gcm'
      /** Whether the password opens it: null when there is none but the one that is asked for. */
      readonly passwordFailure: string | null
      /** Why nothing can be written there; null when it can. */
      readonly writeFailure: string | null
      readonly freeBytes: number | null
      readonly sizeBytes: number | null
    }

/** Below this share the next full backup may not find room. */
const LITTLE_SHARE = 0.05

export function checkRepositoryFacts(facts: RepositoryFacts): readonly Finding[] {
  const name = 'repository'
  if (facts.kind === 'not-named') {
    return [
      unknown(
        name,
        'No repository is named, so none was looked at',
        'Give -r REPO, or set ICECORE_REPOSITORY',
      ),
    ]
  }
  if (facts.kind === 'unusable') {
    return [
      wrong(name, {
        sentence: facts.reason,
        advice: 'Mount it, or make one with `icecore init`',
        stops: 'repository',
      }),
    ]
  }
  const { path, encryption, passwordFailure, writeFailure } = facts
  if (passwordFailure !== null) {
    return [
      wrong(name, {
        sentence: passwordFailure,
        advice: 'Give the right password: another key slot, or the recovery key, may open it',
        stops: 'repository',
      }),
    ]
  }
  if (writeFailure !== null) {
    const sentence = `Nothing can be written to repository "${path}": ${writeFailure}`
    return [
      wrong(name, {
        sentence,
        advice: 'Mount it writable, or run it as a user who may write to it',
        stops: 'repository',
      }),
    ]
  }
  const sealed = encryption === 'none' ? 'is not encrypted' : 'is encrypted'
  return [ok(name, `Repository "${path}" can be read and written, and ${sealed}`), checkRoom(facts)]
}

function checkRoom({ path, freeBytes, sizeBytes }: RepositoryFacts & { readonly kind: 'usable' }): Finding {
  const name = 'free-space'
  if (freeBytes === null || sizeBytes === null) {
    return unknown(name, `How much room is left for repository "${path}" cannot be told`, 'Run `df` there')
  }
  const left = `${formatByteSize(freeBytes)} of ${formatByteSize(sizeBytes)} are left for repository "${path}"`
  if (freeBytes >= LITTLE_SHARE * sizeBytes) return ok(name, left)
  return warning(name, left, 'Make room, or forget points (`icecore forget`) and give their space back')
}
