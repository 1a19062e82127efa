import type { KeySlot } from '../../repository/key-slot.ts'
import type { KEY_LIST } from '../commands/key.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { formatLocalTime } from '../local-time.ts'
import { openKeys } from '../open-keys.ts'
import { renderTable } from '../table.ts'

const COLUMNS = [
  { title: 'SLOT', align: 'right' },
  { title: 'ID' },
  { title: 'KIND' },
  { title: 'LABEL' },
  { title: 'CREATED' },
] as const

/** Lists the key slots. They lie open in the configuration, so that no password is asked for. */
export async function runKeyList(invocation: InvocationOf<typeof KEY_LIST>): Promise<CommandResult> {
  await using keys = await openKeys(invocation)
  const { keySlots } = keys.config
  const { paint } = invocation.terminal.output
  return {
    json: keySlots.map(({ id, kind, label, createdAt }, index) => ({
      number: index + 1,
      id,
      kind,
      label,
      createdAt,
    })),
    text: () =>
      keySlots.length === 0
        ? 'The repository is not encrypted: it has no keys'
        : renderTable(COLUMNS, keySlots.map(rowOf), (title) => paint('bold', title)),
    exitCode: ExitCode.Done,
  }
}

function rowOf({ id, kind, label, createdAt }: KeySlot, index: number): string[] {
  return [String(index + 1), id, kind, label, formatLocalTime(createdAt)]
}
