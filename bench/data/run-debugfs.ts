import { rmSync, writeFileSync } from 'node:fs'
import { runTool } from './run-tool.ts'

/** Has debugfs carry out requests on an ext4 image. It needs no root. */
export function runDebugfs(image: string, requests: readonly string[]): void {
  const script = `${image}.debugfs`
  writeFileSync(script, `${requests.join('\n')}\n`)
  runTool('debugfs', ['-w', '-f', script, image])
  rmSync(script)
}
