import { type Finding, ok, wrong } from './finding.ts'

/** Where every call is written down, and why that cannot be; null when it can. */
export function checkAuditLog(path: string, failure: string | null): Finding {
  if (failure === null) return ok('audit-log', `Every call is written to ${path}`)
  return wrong('audit-log', {
    sentence: `Calls cannot be written to ${path}: ${failure}`,
    advice: 'Make the folder, and let the user that the agent runs as write to it',
    stops: 'agent',
  })
}
