/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export type Mount = {
  /** `major:minor`; of a file system over several devices (Btrfs) a made-up one. */
  readonly deviceNumber: string
  readonly mountPoint: string
  readonly fileSystem: string
  /** What was mounted: a device's path, or a word. */
  readonly source: string
  /** True when the file system writes to its device, even if this mount point does not let users write. */
  readonly writable: boolean
}

/** Reads mountinfo; lines that are none are left out. */
export function parseMountInfo(text: string): readonly Mount[] {
  return text.split('\n').flatMap(parseMount)
}

function parseMount(line: string): readonly Mount[] {
  // 36 35 98:0 /root /mnt rw,noatime shared:1 - ext4 /dev/sda1 rw,errors=continue
  const fields = line.split(' ')
  const separator = fields.indexOf('-', 6)
  const [, , deviceNumber, , mountPoint] = fields
  const [fileSystem, source, superOptions] = fields.slice(separator + 1)
  if (separator === -1 || deviceNumber === undefined || mountPoint === undefined) return []
  if (fileSystem === undefined || source === undefined || superOptions === undefined) return []
  return [
    {
      deviceNumber,
      mountPoint: unescapeOctal(mountPoint),
      fileSystem,
      source: unescapeOctal(source),
      writable: superOptions.split(',').includes('rw'),
    },
  ]
}

/** The devices and files of /proc/swaps. */
export function parseSwaps(text: string): readonly string[] {
  return text
    .split('\n')
    .slice(1) // The heading.
    .flatMap((line) => {
      const path = line.split(/\s+/)[0]
      return path === undefined || path === '' ? [] : [unescapeOctal(path)]
    })
}

/** The kernel writes space, tab, newline and backslash as `\040` and the like. */
function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)))
}
