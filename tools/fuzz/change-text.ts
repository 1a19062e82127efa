import type { Randomness } from '../../src/domain/randomness.ts'
import { pick } from './pick.ts'

const NUMBERS = [
  '0',
  '-1',
  '1',
  '2',
  '9',
  '-9',
  '007',
  '4294967295',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
]
const HUGE = '18446744073709551615'
const REFERENCE = /(?<=(?:pool|metadata|data|origin|cow_store|thin_pool) = )"[^"\n]*"|"[^"\n]*"(?=, \d+)/g
const ROWS_MAX = 40

/** Changes a text in the grammar of LVM2, which ends with the first zero, in one place. */
export function changeText(bytes: Uint8Array, random: Randomness): void {
  const zero = bytes.indexOf(0)
  const text = Buffer.from(bytes.subarray(0, zero === -1 ? bytes.byteLength : zero)).toString('latin1')
  const changed = Buffer.from(textWithOneChange(text, random), 'latin1').subarray(0, bytes.byteLength - 1)
  bytes.fill(0)
  bytes.set(changed)
}

function textWithOneChange(text: string, random: Randomness): string {
  switch (random.below(14)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return replaceOne(text, /(?<=[ =[,])-?\d+/g, (old, all) => number(old, all, random))
    case 4:
    case 5:
      return replaceOne(text, /"[^"\n]*"/g, (_, all) => pick(all, random))
    case 10:
      // And where on it.
      return replaceOne(text, /(?<="[^"\n]*", )\d+/g, (old, all) => number(old, all, random))
    case 11:
    case 12:
    case 13: {
      // What a volume lies on becomes another volume: none, itself, one that leads back.
      const names = [...text.matchAll(/^\t*([\w.-]+) ?\{/gm)].map(([, name]) => name ?? '')
      return replaceOne(text, REFERENCE, () => `"${pick(names, random)}"`)
    }
    case 6:
      return replaceOne(text, /^.*$/gm, () => '')
    case 7:
      return replaceOne(text, /^.*$/gm, (line, lines) => `${line}\n${pick(lines, random)}`)
    case 8:
      return replaceOne(text, /[{}[\]=",]/g, (mark, marks) =>
        pick(['', mark + mark, pick(marks, random), mark.repeat(ROWS_MAX), 'a{'.repeat(ROWS_MAX)], random),
      )
    default:
      return replaceOne(text, /(?<=^\t*)[a-z_\d]+(?= ?[={])/gm, (_, names) => pick(names, random))
  }

  function replaceOne(
    whole: string,
    pattern: RegExp,
    replace: (found: string, all: readonly string[]) => string,
  ): string {
    const matches = [...whole.matchAll(pattern)]
    const match = matches[random.below(matches.length)]
    if (match === undefined) return whole
    const found = match[0]
    const all = matches.map(([each]) => each)
    return whole.slice(0, match.index) + replace(found, all) + whole.slice(match.index + found.length)
  }
}

function number(old: string, all: readonly string[], random: Randomness): string {
  switch (random.below(4)) {
    case 0:
      return pick(all, random)
    case 1:
      return String(Number(old) + (random.below(2) === 0 ? 1 : -1) * (1 + random.below(2)))
    default:
      return pick([...NUMBERS, HUGE], random)
  }
}
