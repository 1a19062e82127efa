import { askTool } from './ask-tool.ts'

export type FoundVersion =
  | { readonly kind: 'version'; readonly text: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'silent'; readonly reason: string }

export type LvmVersions = { readonly lvm: FoundVersion; readonly dmsetup: FoundVersion }

/** The versions of LVM's and device-mapper's tools. They say them also where the kernel has no device-mapper. */
export async function lvmVersions(signal: AbortSignal): Promise<LvmVersions> {
  const lvm = await askTool('lvm', ['version'], signal)
  const dmsetup = await askTool('dmsetup', ['--version'], signal)
  return {
    lvm: lvm.kind === 'answer' ? versionIn(lvm.text, /LVM version:\s*(\S+)/) : lvm,
    dmsetup: dmsetup.kind === 'answer' ? versionIn(dmsetup.text, /Library version:\s*(\S+)/) : dmsetup,
  }
}

function versionIn(text: string, pattern: RegExp): FoundVersion {
  const version = pattern.exec(text)?.[1]
  return version === undefined
    ? { kind: 'silent', reason: 'it printed something else' }
    : { kind: 'version', text: version }
}
