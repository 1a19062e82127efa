import { lineageKeyOf } from '../../capture/provider/lineage-key.ts'
import { BackupError, ErrorCode } from '../../domain/backup-error.ts'
import type { BACKUP } from '../commands/backup.ts'
import { sha256, type QuietSources } from '../freeze/quiet-sources.ts'
import type { InvocationOf } from '../invocation.ts'
import { openBackupSources } from '../open-backup-sources.ts'
import { tlsFilesOf } from '../open-source.ts'
import { lineageOf } from '../run-lineage.ts'
import { agentText } from './agent-address.ts'
import { connectToAgent } from './connect.ts'
import { freezeOnAgent } from './freeze-on-agent.ts'

/** Has an agent freeze the sources, and opens them as this host can read them. */
export async function openAgentSources(
  invocation: InvocationOf<typeof BACKUP>,
  of: {
    readonly repositoryId: string
    readonly basePointId: string | null
    /** Called while the agent freezes, and this host has nothing else to do. */
    readonly whileWaiting: () => void
  },
): Promise<QuietSources> {
  const { options, arguments: named, clock, randomness, progress, signal, settings } = invocation
  const address = options.agent
  if (address === undefined) throw new RangeError('no agent was named')
  const sources = requireDifferent(named.sources)
  await using stack = new AsyncDisposableStack()
  const authorityFolder = options.authority ?? settings.authorityFolder
  const { agent, link } = stack.use(
    await connectToAgent({ clock, randomness, progress, signal, authorityFolder }, address),
  )
  const notice = (message: string): void => progress({ event: 'notice', message })
  notice(`Freezing ${sources.join(', ')} by the agent on ${agentText(address)}`)
  const lineage = lineageOf(invocation)
  const frozen = await meanwhile({ arrived: agent.nextArrival(), begin: of.whileWaiting }, () =>
    freezeOnAgent(
      { agent, link, transport: options.transport ?? 'auto', clock, randomness, notice, signal },
      {
        sources,
        lineage,
        lineageKey: lineageKeyOf({ repositoryId: of.repositoryId, lineage, sha256 }),
        provider: options.provider,
        basePointId: of.basePointId,
      },
    ),
  )
  const tlsFiles = tlsFilesOf(options)
  const opened = stack.use(
    await openBackupSources(sources, { allowMounted: false, tlsFiles, signal, frozen }),
  )
  const held = stack.move()
  return {
    ...opened,
    freeze: frozen.freeze ?? null,
    load: async (now) => await worstLatency(agent, frozen.imageIds, now),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** Has `begin` called when the order is with the agent, and not before: it keeps this thread busy. Unless the order is over by then. */
async function meanwhile<Result>(
  { arrived, begin }: { readonly arrived: Promise<void>; readonly begin: () => void },
  order: () => Promise<Result>,
): Promise<Result> {
  let isOver = false
  const afterwards = async (): Promise<void> => {
    await arrived
    if (!isOver) begin()
  }
  void afterwards()
  try {
    return await order()
  } finally {
    isOver = true
  }
}

function requireDifferent(sources: readonly string[]): readonly string[] {
  const twin = sources.find((source, index) => sources.indexOf(source) !== index)
  if (twin === undefined) return sources
  const message = `Cannot back up "${twin}": it is given twice, required are different sources`
  throw new BackupError(ErrorCode.UsageWrong, message)
}

type LoadAgent = Awaited<ReturnType<typeof connectToAgent>>['agent']

/** What production waits for: of all disks and of both directions the longest. */
async function worstLatency(
  agent: LoadAgent,
  imageIds: readonly string[],
  signal: AbortSignal,
): Promise<number | null> {
  let worst: number | null = null
  for (const imageId of imageIds) {
    const { readLatencyMs, writeLatencyMs } = await agent.load(imageId, signal)
    for (const latency of [readLatencyMs, writeLatencyMs])
      if (latency !== null) worst = Math.max(worst ?? 0, latency)
  }
  return worst
}
