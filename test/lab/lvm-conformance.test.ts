import { testLvmConformance } from './lvm-conformance.ts'

for (const provider of ['lvm-thin', 'lvm'] as const) {
  testLvmConformance(provider, { roundCount: 2, thinCount: 2, timeoutSeconds: 720 })
}
