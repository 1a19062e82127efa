import { type Finding, listed, ok, unknown, wrong } from './finding.ts'

export type KeyFile = {
  readonly path: string
  /** Null when it is not there; why it could not be looked at, otherwise. */
  readonly state: { readonly mode: number; readonly userId: number } | { readonly failure: string } | null
}

/** Read, written or run by the group or by everybody. */
const OTHERS = 0o077

/** Whether a private key is its owner's alone. */
export function checkKeyFiles(files: readonly KeyFile[], userId: number | null): readonly Finding[] {
  const name = 'key-files'
  const missing = files.filter(({ state }) => state === null)
  if (missing.length > 0) {
    const sentence = `${listed(missing.map(({ path }) => path))} is not there: this host is not enrolled`
    const advice =
      'Run `icecore agent invite` on the mover, and the `icecore agent enroll` that it prints here'
    return [wrong(name, { sentence, advice, stops: 'agent' })]
  }
  const findings = files.flatMap(({ path, state }): Finding[] => {
    if (state === null) return []
    if ('failure' in state) {
      return [
        unknown(
          name,
          `${path} cannot be looked at: ${state.failure}`,
          'Run it as the user that the agent runs as',
        ),
      ]
    }
    if ((state.mode & OTHERS) !== 0) {
      const sentence = `${path} may be read or changed by others: its mode is ${state.mode.toString(8).padStart(3, '0')}, required is 600`
      return [
        wrong(name, {
          sentence,
          advice: `Run \`chmod 600 ${path}\`; if others may have read it, enroll again and revoke the certificate`,
          stops: 'nothing',
        }),
      ]
    }
    if (state.userId === 0 || state.userId === userId) return []
    const sentence = `${path} belongs to user ${state.userId}`
    return [wrong(name, { sentence, advice: `Run \`chown root ${path}\``, stops: 'nothing' })]
  })
  return findings.length > 0 ? findings : [ok(name, 'Nobody else can read the private key')]
}
