import { type Finding, ok, unknown, warning } from './finding.ts'

/** Versions whose first number that is not 0 is the same understand one another. */
export function checkVersion(agent: string, own: string): Finding {
  const name = 'version'
  if (agent === own) return ok(name, `Both are icecore ${own}`)
  const [theirs, ours] = [lineOf(agent), lineOf(own)]
  if (theirs === null || ours === null) {
    return unknown(
      name,
      `The agent calls its version "${agent}", this is ${own}`,
      'Install one version of icecore on both hosts',
    )
  }
  if (theirs === ours) return ok(name, `The agent is icecore ${agent}, this is ${own}`)
  const sentence = `The agent is icecore ${agent} and this is ${own}: they may not understand all that the other says`
  return warning(name, sentence, 'Install one version of icecore on both hosts')
}

function lineOf(version: string): string | null {
  const match = /^(\d{1,4})\.(\d{1,4})\.\d{1,6}/.exec(version)
  if (match === null) return null
  return match[1] === '0' ? `0.${match[2]}` : `${match[1]}`
}
