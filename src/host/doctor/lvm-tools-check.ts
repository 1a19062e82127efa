import type { LvmVersions } from '../../linux/doctor/lvm-versions.ts'
import { type Finding, ok, unknown, warning } from './finding.ts'

/** The first that answers in JSON. */
const LVM_NEEDED = [2, 2, 158] as const

/** The tools that freeze logical volumes. A host without any can still back up files and image files. */
export function checkLvmTools({ lvm, dmsetup }: LvmVersions): Finding {
  const name = 'lvm-tools'
  const missing = [
    ...(lvm.kind === 'missing' ? ['lvm2'] : []),
    ...(dmsetup.kind === 'missing' ? ['dmsetup'] : []),
  ]
  if (missing.length > 0) {
    const sentence = `Package ${missing.join(' and ')} is not installed: logical volumes cannot be frozen here`
    return warning(
      name,
      sentence,
      `Install ${missing.join(' and ')}, if there are logical volumes to back up`,
    )
  }
  for (const [tool, found] of [
    ['lvm', lvm],
    ['dmsetup', dmsetup],
  ] as const) {
    if (found.kind !== 'silent') continue
    const sentence = `The version of ${tool} cannot be told: ${found.reason}`
    return unknown(name, sentence, `Run \`${tool} version\` by hand, as root, and see what it says`)
  }
  const text = lvm.kind === 'version' ? lvm.text : ''
  const version = versionOf(text)
  if (version === null)
    return unknown(
      name,
      `LVM calls its version "${text}", which says nothing`,
      'Install lvm2 from your distribution',
    )
  if (isOlder(version, LVM_NEEDED)) {
    const sentence = `LVM is ${text}, required is ${LVM_NEEDED.join('.')} or newer: logical volumes cannot be frozen here`
    return warning(name, sentence, 'Install a newer lvm2')
  }
  return ok(name, `LVM is ${text}`)
}

function versionOf(text: string): readonly number[] | null {
  const match = /^(\d{1,4})\.(\d{1,4})\.(\d{1,6})/.exec(text)
  return match === null ? null : match.slice(1).map(Number)
}

function isOlder(version: readonly number[], needed: readonly number[]): boolean {
  const at = needed.findIndex((part, index) => part !== version[index])
  return at !== -1 && (version[at] ?? 0) < (needed[at] ?? 0)
}
