import type { KernelFacts } from '../../linux/doctor/kernel-features.ts'
import { type Finding, listed, ok, unknown, warning } from './finding.ts'

/** What the kernel can freeze with. */
export function checkKernel(kernel: KernelFacts): readonly Finding[] {
  return [checkDeviceMapper(kernel), checkCloning(kernel)]
}

function checkDeviceMapper({ release, deviceMapper, thin, snapshot }: KernelFacts): Finding {
  const name = 'device-mapper'
  if (deviceMapper === 'absent') {
    const sentence = `Kernel ${release} has no device-mapper: logical volumes cannot be frozen here`
    return warning(name, sentence, 'Boot a kernel with dm-mod, if there are logical volumes to back up')
  }
  const parts = { 'dm-thin-pool': thin, 'dm-snapshot': snapshot }
  const absent = Object.entries(parts).flatMap(([part, state]) => (state === 'absent' ? [part] : []))
  if (absent.length > 0) {
    const sentence = `Kernel ${release} has no ${listed(absent)}: volumes of that kind cannot be frozen here`
    return warning(name, sentence, `Install the modules ${listed(absent)} of this kernel`)
  }
  if (deviceMapper === null || thin === null || snapshot === null) {
    const sentence = `Whether kernel ${release} has device-mapper with thin pools and snapshots cannot be told`
    return unknown(
      name,
      sentence,
      'Run `dmsetup targets` as root: thin-pool and snapshot should be in its list',
    )
  }
  return ok(name, `Kernel ${release} has device-mapper, thin pools and snapshots`)
}

function checkCloning({ release, cloningFileSystems }: KernelFacts): Finding {
  const name = 'file-clones'
  if (cloningFileSystems.length > 0) {
    return ok(name, `Kernel ${release} can clone files on ${listed(cloningFileSystems)}`)
  }
  const sentence = `Kernel ${release} knows no file system that clones files: image files are read as they are`
  return warning(
    name,
    sentence,
    'Keep image files on XFS or Btrfs, if they are written to while they are backed up',
  )
}
