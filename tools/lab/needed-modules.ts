/** Folders of the kernel's modules that lab hosts use: device-mapper, SCSI and its targets, loop, NBD, FUSE, overlay. */
const FOLDERS = [
  'kernel/block/',
  'kernel/crypto/',
  'kernel/drivers/block/',
  'kernel/drivers/md/',
  'kernel/drivers/scsi/',
  'kernel/drivers/target/',
  'kernel/fs/configfs/',
  'kernel/fs/fuse/',
  'kernel/fs/overlayfs/',
  'kernel/lib/',
] as const

/** Of the modules that `modules.dep` names, those in these folders and all that they need. */
export function neededModules(dependencies: string): readonly string[] {
  const needs = new Map<string, readonly string[]>()
  for (const line of dependencies.split('\n')) {
    const [name = '', others = ''] = line.split(':')
    if (name !== '') needs.set(name, others.split(' ').filter(Boolean))
  }
  const wanted = new Set<string>()
  for (const [name, others] of needs) {
    // The list of each module is already complete: it names what its needs need, too.
    if (FOLDERS.some((folder) => name.startsWith(folder)))
      for (const one of [name, ...others]) wanted.add(one)
  }
  return [...wanted]
}
