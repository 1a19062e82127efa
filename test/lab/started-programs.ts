import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

import type { Lab } from './lab.ts'
import type { LabHost } from './lab-host.ts'

/** Where the tools lie on this machine, whose root a lab host shares. */
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Notes which programs of LVM and device-mapper are started by whoever has this environment. */
export type StartedPrograms = {
  readonly environment: Readonly<Record<string, string>>
  /** What was started since the last question, a line each: the program's name and its words. */
  take(): Promise<readonly string[]>
}

export function noteStartedPrograms(lab: Lab, host: LabHost): StartedPrograms {
  const folder = `${lab.share}/noted`
  const log = `${lab.share}/started`
  mkdirSync(folder)
  for (const name of ['lvm', 'dmsetup']) {
    const path = `${folder}/${name}`
    writeFileSync(path, `#!/bin/sh\necho "${name} $*" >> ${log}\nexec /usr/sbin/${name} "$@"\n`)
    chmodSync(path, 0o755)
  }
  return {
    environment: { PATH: `${folder}:${SYSTEM_PATH}` },
    take: async () => {
      await host.output(['sh', '-c', `sync; mv ${log} ${log}.taken 2>/dev/null || : > ${log}.taken; sync`])
      return readFileSync(`${log}.taken`, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    },
  }
}
