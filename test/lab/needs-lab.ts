import { whyUmlCannotRun } from '../../tools/lab/can-run-uml.ts'
import { fetchUmlKernel } from '../../tools/lab/uml-kernel.ts'
import type { SkipReason } from '../support/requirements.ts'

let lab: SkipReason | undefined

/** For tests that start virtual machines. Tried once a process; the first one on a machine downloads the kernel. */
export function needsLab(): SkipReason {
  lab ??= tryLab()
  return lab
}

function tryLab(): SkipReason {
  // The test run has tried already, and does not want each of its files to try again.
  const said = process.env['ICECORE_LAB_MISSING']
  if (said !== undefined) return said
  try {
    const why = whyUmlCannotRun(fetchUmlKernel())
    return why === undefined ? false : `needs a system on which User Mode Linux runs: ${why}`
  } catch (error) {
    return `needs the lab's kernel: ${error instanceof Error ? error.message : String(error)}`
  }
}
