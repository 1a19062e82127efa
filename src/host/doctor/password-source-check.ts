import { type Finding, ok, unknown, warning, wrong } from './finding.ts'

export type PasswordFacts =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly origin: string }
  | { readonly kind: 'command'; readonly origin: string; readonly program: string; readonly isThere: boolean }
  | {
      readonly kind: 'file'
      readonly origin: string
      readonly path: string
      /** Why it could not be looked at. */
      readonly state: { readonly mode: number } | { readonly failure: string }
    }

const READABLE_BY_OTHERS = 0o044

/** Where the password of the repository comes from when nobody is there to type it. */
export function checkPasswordSource(facts: PasswordFacts): Finding {
  const name = 'password'
  switch (facts.kind) {
    case 'none':
      return unknown(
        name,
        'No password is configured: icecore asks whoever runs it',
        'For runs that nobody watches, give --password-file or set ICECORE_PASSWORD_FILE',
      )
    case 'text':
      return warning(
        name,
        `${facts.origin} holds the password itself, which other programs of this user can read`,
        'Use ICECORE_PASSWORD_FILE or ICECORE_PASSWORD_COMMAND',
      )
    case 'command':
      if (facts.isThere) return ok(name, `${facts.origin} names a program that prints it`)
      return wrong(name, {
        sentence: `${facts.origin} names the program "${facts.program}", which is not there`,
        advice: 'Correct it, or install the program',
        stops: 'repository',
      })
    case 'file':
      return checkFile(name, facts)
  }
}

function checkFile(
  name: string,
  { origin, path, state }: PasswordFacts & { readonly kind: 'file' },
): Finding {
  if ('failure' in state) {
    const sentence = `${origin} names the file "${path}": ${state.failure}`
    return wrong(name, {
      sentence,
      advice: 'Correct the path, or let this user read the file',
      stops: 'repository',
    })
  }
  if ((state.mode & READABLE_BY_OTHERS) !== 0) {
    return warning(name, `Others can read the password file "${path}"`, `Run \`chmod 600 ${path}\``)
  }
  return ok(name, `The password is in "${path}", which nobody else can read`)
}
