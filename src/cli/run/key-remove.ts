import { replaceConfig, requireOpens, selectKeySlot, withoutKeySlot } from '../../repository/key-slots.ts'
import type { KEY_REMOVE } from '../commands/key.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommandResult, InvocationOf } from '../invocation.ts'
import { openKeys, requireEncrypted } from '../open-keys.ts'
import { secretOf } from '../open-repository.ts'

/** Removes a key slot. The password must be of a slot that stays. */
export async function runKeyRemove(invocation: InvocationOf<typeof KEY_REMOVE>): Promise<CommandResult> {
  await using keys = await openKeys(invocation)
  const { store, config } = keys
  requireEncrypted(config, 'icecore key remove')
  const slot = selectKeySlot(config.keySlots, invocation.arguments.slot)
  const next = withoutKeySlot(config, slot)
  const secret = secretOf(await invocation.askPassword('open'))
  await requireOpens({ now: config, next }, { secret, where: store.description })
  await replaceConfig(store, { now: config, next })
  const left = next.keySlots.length
  return {
    json: { removed: { id: slot.id, kind: slot.kind, label: slot.label }, leftCount: left },
    text: `Removed key slot ${slot.id} (${slot.kind}, "${slot.label}"); ${left} ${left === 1 ? 'is' : 'are'} left`,
    exitCode: ExitCode.Done,
  }
}
