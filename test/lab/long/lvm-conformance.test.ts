import { testLvmConformance } from '../lvm-conformance.ts'

for (const provider of ['lvm-thin', 'lvm'] as const) {
  testLvmConformance(provider, { roundCount: 20, thinCount: 4, timeoutSeconds: 7200 })
}
