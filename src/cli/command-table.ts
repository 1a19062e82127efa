import { AGENT_DOCTOR } from './commands/agent-doctor.ts'
import { AGENT_ENROLL, AGENT_INVITE, AGENT_LIST, AGENT_REVOKE } from './commands/agent-enrolment.ts'
import { AGENT_RUN } from './commands/agent-run.ts'
import { AGENT_STATUS } from './commands/agent-status.ts'
import { BACKUP } from './commands/backup.ts'
import { CAT } from './commands/cat.ts'
import { CHECK } from './commands/check.ts'
import { COMPLETION } from './commands/completion.ts'
import { DEMO } from './commands/demo.ts'
import { DIFF } from './commands/diff.ts'
import { DOCTOR } from './commands/doctor.ts'
import { EXTRACT } from './commands/extract.ts'
import { FORGET } from './commands/forget.ts'
import { IMAGES_LIST, IMAGES_RELEASE } from './commands/images.ts'
import { INIT } from './commands/init.ts'
import { KEY_ADD, KEY_LIST, KEY_REMOVE } from './commands/key.ts'
import { LS } from './commands/ls.ts'
import { MAP } from './commands/map.ts'
import { MAN } from './commands/man.ts'
import { POINTS } from './commands/points.ts'
import { SHOW } from './commands/show.ts'
import { RESTORE } from './commands/restore.ts'
import { type Command, command } from './invocation.ts'

/** Every command that the program has, in the order of its help. What is not here does not exist. */
export const COMMANDS: readonly Command[] = [
  command(INIT, async () => (await import('./run/init.ts')).runInit),
  command(BACKUP, async () => (await import('./run/backup.ts')).runBackup),
  command(RESTORE, async () => (await import('./run/restore.ts')).runRestore),
  command(EXTRACT, async () => (await import('./run/extract.ts')).runExtract),
  command(POINTS, async () => (await import('./run/points.ts')).runPoints),
  command(SHOW, async () => (await import('./run/show.ts')).runShow),
  command(LS, async () => (await import('./run/ls.ts')).runLs),
  command(CAT, async () => (await import('./run/cat.ts')).runCat),
  command(DIFF, async () => (await import('./run/diff.ts')).runDiff),
  command(MAP, async () => (await import('./run/map.ts')).runMap),
  command(FORGET, async () => (await import('./run/forget.ts')).runForget),
  command(CHECK, async () => (await import('./run/check.ts')).runCheck),
  command(IMAGES_LIST, async () => (await import('./run/images-list.ts')).runImagesList),
  command(IMAGES_RELEASE, async () => (await import('./run/images-release.ts')).runImagesRelease),
  command(AGENT_INVITE, async () => (await import('./run/agent-invite.ts')).runAgentInvite),
  command(AGENT_ENROLL, async () => (await import('./run/agent-enroll.ts')).runAgentEnroll),
  command(AGENT_RUN, async () => (await import('./run/agent-run.ts')).runAgentRun),
  command(AGENT_DOCTOR, async () => (await import('./run/agent-doctor.ts')).runAgentDoctor),
  command(AGENT_STATUS, async () => (await import('./run/agent-status.ts')).runAgentStatus),
  command(AGENT_LIST, async () => (await import('./run/agent-list.ts')).runAgentList),
  command(AGENT_REVOKE, async () => (await import('./run/agent-revoke.ts')).runAgentRevoke),
  command(KEY_LIST, async () => (await import('./run/key-list.ts')).runKeyList),
  command(KEY_ADD, async () => (await import('./run/key-add.ts')).runKeyAdd),
  command(KEY_REMOVE, async () => (await import('./run/key-remove.ts')).runKeyRemove),
  command(DOCTOR, async () => (await import('./run/doctor.ts')).runDoctor),
  command(DEMO, async () => (await import('./run/demo.ts')).runDemo),
  command(COMPLETION, async () => (await import('./run/completion.ts')).runCompletion),
  command(MAN, async () => (await import('./run/man.ts')).runMan),
]

/** What the first word of commands of two words stands for. */
export const FAMILIES: Readonly<Record<string, string>> = {
  agent: 'agents freeze for movers on other hosts: enrol, run and revoke them',
  images: 'list and release frozen images that are held',
  key: 'list, add and remove key slots',
}
