import type { Scenario } from '../bench.ts'
import { measurePairs, medianOfPairs, speedUp } from '../pairs.ts'
import { icecore } from '../peers/icecore.ts'
import { checkData, restore } from '../works.ts'

export const CHECK: Scenario = {
  name: 'check',
  summary: 'check --data against a restore of the same repository',
  async run(bench) {
    const own = icecore({ cli: bench.cli })
    const pairs = await measurePairs(bench, {
      scenario: 'check',
      own: checkData(bench, own),
      peers: [restore(bench, own)],
    })
    return [
      {
        work: 'check --data',
        against: 'own restore',
        quantity: 'times faster',
        asked: 'at least 1x',
        unit: 'x',
        ...medianOfPairs(pairs.get(own.name), speedUp),
      },
    ]
  },
}
