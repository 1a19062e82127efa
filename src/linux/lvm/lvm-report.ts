import * as v from 'valibot'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import { runLvm } from './run-lvm.ts'

/** Values of a report are texts, whatever they mean (lvmreport(7), "--reportformat json"). */
const rows = v.array(v.record(v.string(), v.string()))
export type ReportRow = Readonly<Record<string, string>>

/** A report of LVM: `lvs`, `vgs` or `pvs`, sizes in bytes. Throws SOURCE_UNREADABLE. */
export async function readReport(
  report: { readonly command: 'lvs' | 'vgs' | 'pvs'; readonly fields: readonly string[] },
  signal: AbortSignal,
): Promise<readonly ReportRow[]> {
  const { command, fields } = report
  const words = [
    command,
    '--all',
    '--reportformat',
    'json',
    '--units',
    'b',
    '--nosuffix',
    '--config',
    TIME_FORMAT,
  ]
  const action = 'ask LVM for its volumes'
  const text = await runLvm(
    [...words.filter((word) => command !== 'vgs' || word !== '--all'), '-o', fields.join(',')],
    {
      action,
      code: ErrorCode.SourceUnreadable,
      signal,
    },
  )
  return parseReport(text, ROW_KEYS[command])
}

/** Seconds since 1970, whatever the system's own format is. */
const TIME_FORMAT = 'report/time_format="%s"'

const ROW_KEYS = { lvs: 'lv', vgs: 'vg', pvs: 'pv' } as const

/** The rows of a report in JSON. Throws SOURCE_UNREADABLE for what is none. */
export function parseReport(text: string, key: 'lv' | 'vg' | 'pv'): readonly ReportRow[] {
  const schema = v.object({ report: v.array(v.object({ [key]: rows })) })
  try {
    const { report } = v.parse(schema, JSON.parse(text))
    return report.flatMap((part) => part[key] ?? [])
  } catch (cause) {
    const message = `Cannot ask LVM for its volumes: its answer is not the report that was asked for, required is LVM 2.02.158 or newer`
    throw new BackupError(ErrorCode.SourceUnreadable, message, { cause })
  }
}
