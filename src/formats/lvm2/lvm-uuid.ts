/** The lengths of the groups that people write the 32 characters in. */
const GROUP_LENGTHS = [6, 4, 4, 4, 4, 4, 6] as const
const PLAIN = /^[0-9A-Za-z!#]{32}$/
const GROUPED = /^[0-9A-Za-z!#]{6}(?:-[0-9A-Za-z!#]{4}){5}-[0-9A-Za-z!#]{6}$/

/** The 32 characters of a label as `6-4-4-4-4-4-6`, the form of the texts; null when they are no such id. */
export function formatLvmUuid(plain: string): string | null {
  if (!PLAIN.test(plain)) return null
  let start = 0
  const groups = GROUP_LENGTHS.map((length) => {
    start += length
    return plain.slice(start - length, start)
  })
  return groups.join('-')
}

export function isLvmUuid(text: string): boolean {
  return GROUPED.test(text)
}
