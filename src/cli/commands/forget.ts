import type { CommandDefinition, ValueDefinition } from '../command.ts'
import { asText, wholeNumber } from '../option-values.ts'
import { POINT_ARGUMENT } from './point-argument.ts'

const KEEP_MAX = 1_000_000
const keepCount = wholeNumber(0, KEEP_MAX)

const KEEP = {
  kind: 'value',
  valueName: 'N',
  parse: keepCount,
} as const satisfies Partial<ValueDefinition>

export const FORGET = {
  name: 'forget',
  section: 'Keeping',
  summary: 'remove points, by id or by a rule',
  description: `Removes recovery points: those that are named, or those that a rule does not keep. A rule is applied to each lineage by itself, and a point that any part of the rule keeps stays. The last point of a lineage is removed only by its id.

Hours, days, weeks (from Monday, as ISO 8601 counts them), months and years are those of UTC, so that a rule gives the same answer on every machine; one without a point does not count.

The space is not given back yet: the chunks of removed points stay in the repository.`,
  arguments: { points: { ...POINT_ARGUMENT, count: 'any' } },
  options: {
    keepLast: { ...KEEP, flag: 'keep-last', description: 'keep the N latest' },
    keepHourly: { ...KEEP, flag: 'keep-hourly', description: 'keep the latest of each of N hours' },
    keepDaily: { ...KEEP, flag: 'keep-daily', description: 'keep the latest of each of N days' },
    keepWeekly: { ...KEEP, flag: 'keep-weekly', description: 'keep the latest of each of N weeks' },
    keepMonthly: { ...KEEP, flag: 'keep-monthly', description: 'keep the latest of each of N months' },
    keepYearly: { ...KEEP, flag: 'keep-yearly', description: 'keep the latest of each of N years' },
    lineage: {
      kind: 'value',
      flag: 'lineage',
      valueName: 'NAME',
      description: 'apply the rule to one lineage',
      parse: asText,
    },
    dryRun: { kind: 'switch', flag: 'dry-run', description: 'say what would be removed; remove nothing' },
  },
  repository: 'required',
  examples: [
    { line: 'icecore forget 3fa9 -r REPO', description: 'one point' },
    {
      line: 'icecore forget -r REPO --keep-daily 7 --keep-weekly 5 --dry-run',
      description: 'what a rule would remove, and why it keeps the rest',
    },
  ],
} as const satisfies CommandDefinition
