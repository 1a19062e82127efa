import type { Finding } from './finding.ts'
import type { StructurePlace } from './format-error.ts'

/** More than anybody reads; a disk damaged all over must not fill the memory with complaints. */
const FINDINGS_MAX = 1000

/** Notes something odd that did not stop the reading. */
export function addFinding(findings: Finding[], place: StructurePlace, found: string): void {
  if (findings.length >= FINDINGS_MAX) return
  findings.push({ structure: place.structure, offsetBytes: place.offsetBytes, found })
}
