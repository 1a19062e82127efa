import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json, without a slash at its end. */
export const checkoutFolder: string = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** Files that people write, as paths from the checkout's folder, sorted. */
export function writtenFiles(...patterns: readonly string[]): string[] {
  return globSync([...patterns], { cwd: checkoutFolder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(checkoutFolder.length + 1))
    .toSorted()
}

export function textOf(path: string): string {
  return readFileSync(`${checkoutFolder}/${path}`, 'utf8')
}

/** Rows of the Markdown tables in `text`, each the cells between its bars, without spaces around them. */
export function tableRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => /^\s*\|.*\|\s*$/.test(line) && !/^[\s|:-]+$/.test(line))
    .map((line) =>
      line
        .trim()
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}
