import type { CommandDefinition } from '../command.ts'
import type { Shell } from '../commands/completion.ts'
import { bashScript } from './bash-script.ts'
import { fishScript } from './fish-script.ts'
import { zshScript } from './zsh-script.ts'

export type CompletionParts = {
  readonly definitions: readonly CommandDefinition[]
  /** What the first word of two-word commands stands for. */
  readonly families: Readonly<Record<string, string>>
}

/** The script that teaches a shell the program's commands. */
export function completionScript(shell: Shell, parts: CompletionParts): string {
  switch (shell) {
    case 'bash':
      return bashScript(parts)
    case 'zsh':
      return zshScript(parts)
    case 'fish':
      return fishScript(parts)
  }
}
