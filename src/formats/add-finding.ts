import type { Finding } from './finding.ts'
import type { StructurePlace } from './format-error.ts'

/** More than anybody reads; a disk damaged all over must not fill the memory with complaints. */
const FINDINGS_MAX = 1000

/** Notes something odd that did not stop the reading. */
export function addFinding(findings: Finding[], place: StructurePlace, found: string): void {
  if (findings.length >= FINDINGS_MAX) return
  findings.push({ structure: place.structure, offsetBytes: place.offsetBytes, found })
}

/** As addFinding(), for what is read more than once: what is odd twice is said once. */
export function addFindingOnce(findings: Finding[], place: StructurePlace, found: string): void {
  const { offsetBytes } = place
  if (findings.some((known) => known.offsetBytes === offsetBytes && known.found === found)) return
  addFinding(findings, place, found)
}
