import type { CommandResult } from '../invocation.ts'

/** What a command would print for a person. */
export async function textOf({ text, pieces }: CommandResult): Promise<string> {
  if (pieces === undefined) return typeof text === 'string' ? text : text()
  let whole = ''
  for await (const piece of pieces) whole += typeof piece === 'string' ? piece : Buffer.from(piece).toString()
  return whole.trimEnd()
}
