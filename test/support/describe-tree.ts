import { runTool } from './run-tool.ts'

/** What a tree of files is described by. */
export type TreeDescription = {
  /** A line for each file: path, kind, mode, owner, group, links, device, times to the nanosecond, link target. */
  readonly files: string
  readonly attributes: string
  readonly contents: string
  readonly sizes: string
}

/** Describes everything below a folder with tools of the system, its own times of access before they change. */
export function describeTree(folder: string): TreeDescription {
  const find = (...words: readonly string[]): string[] =>
    sorted(runTool('find', [folder, '-mindepth', '1', ...words]), '\0')
  const files = find('-printf', String.raw`%P %y %m %U %G %n %T@ %A@ %l\0`)
  const sizes = find('-not', '-type', 'd', '-printf', String.raw`%P %s\0`)
  const shell = (script: string): string[] => sorted(runTool('sh', ['-c', script, 'sh', folder]), '\n')
  const devices = shell(
    'cd "$1" && find . -type b -exec stat -c "%n %t %T" {} + ; find . -type c -exec stat -c "%n %t %T" {} +',
  )
  const attributes = runTool('sh', [
    '-c',
    'cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z | xargs -0 getfattr -h -d -m - -e hex --',
    'sh',
    folder,
  ])
  const contents = shell('cd "$1" && find . -type f -print0 | xargs -0 -r sha256sum')
  return {
    files: [...files, ...devices].join('\n'),
    attributes,
    contents: contents.join('\n'),
    sizes: sizes.join('\n'),
  }
}

function sorted(output: string, separator: string): string[] {
  return output
    .split(separator)
    .filter((line) => line !== '')
    .toSorted()
}
