/** `PGPASSWORD`, `DB_TOKEN`, `AWS_SECRET_ACCESS_KEY`, … */
const SECRET_NAME = /pass(word|wd|phrase)?|secret|token|credential|api_?key|access_?key|private_?key/i
/** `password=…`, `"token": "…"`, `--password …`: the name stays, up to what separates it from the value. */
const ASSIGNED =
  /((?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|access[-_]?key)["']?\s*[=:]\s*|--?(?:password|passwd|token|secret)[= ]\s*)("[^"\n]*"|'[^'\n]*'|[^\s"',;]+)/gi
/** `scheme://user:password@host` */
const IN_ADDRESS = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,100}:)[^\s/@]{1,200}@/gi
/** A shorter value would blank out words that merely look like it. */
const VALUE_LENGTH_MIN = 4
const HIDDEN = '***'

/** Text without the values of variables whose names say that they are secret, and without what looks like a secret. */
export function redactSecrets(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const values = Object.entries(environment)
    .flatMap(([name, value]) => (value !== undefined && SECRET_NAME.test(name) ? [value] : []))
    .filter((value) => value.length >= VALUE_LENGTH_MIN)
    // A value that holds another goes first, or its rest would stay.
    .toSorted((one, other) => other.length - one.length)
  const without = values.reduce((rest, value) => rest.replaceAll(value, HIDDEN), text)
  return without
    .replaceAll(IN_ADDRESS, (_, start: string) => `${start}${HIDDEN}@`)
    .replaceAll(ASSIGNED, (_, start: string) => `${start}${HIDDEN}`)
}
