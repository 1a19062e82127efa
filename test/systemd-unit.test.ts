import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { findProgram } from '../src/linux/find-program.ts'
import type { SkipReason } from './support/requirements.ts'
import { runTool } from './support/run-tool.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const UNIT = new URL('../docs/systemd/icecore-agent.service', import.meta.url)
/** From which on a unit that is not installed can be judged. */
const VERSION_MIN = 250
const skip = needsSystemdAnalyze()

function needsSystemdAnalyze(): SkipReason {
  if (findProgram('systemd-analyze', process.env['PATH']) === null) return 'needs systemd-analyze'
  const version = Number(/^systemd (\d+)/.exec(runTool('systemd-analyze', ['--version']))?.[1])
  return version >= VERSION_MIN ? false : `needs systemd-analyze ${VERSION_MIN}, found ${version}`
}

test(
  'the unit of the agent is one that systemd understands, and leaves little that could be misused',
  { skip },
  () => {
    using folder = temporaryFolder()
    const path = folder.join('icecore-agent.service')
    // Where the program lies is the host's affair.
    const unit = readFileSync(UNIT, 'utf8').replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`)
    writeFileSync(path, unit)
    assert.equal(runTool('systemd-analyze', ['verify', '--man=no', path]).trim(), '')
    const verdict = runTool('systemd-analyze', ['security', '--offline=true', '--no-pager', path])
    const exposure = Number(/Overall exposure level for \S+: ([0-9.]+)/.exec(verdict)?.[1])
    assert.ok(exposure < 4, verdict)
  },
)
