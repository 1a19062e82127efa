import type { ChosenProvider } from '../../host/choose-provider.ts'
import type { BACKUP } from '../commands/backup.ts'
import type { InvocationOf } from '../invocation.ts'

/** How each of the sources will be frozen. */
export async function chooseProviders({
  options,
  arguments: { sources },
  signal,
}: Pick<InvocationOf<typeof BACKUP>, 'options' | 'arguments' | 'signal'>): Promise<
  readonly ChosenProvider[]
> {
  const { chooseProvider } = await import('../../host/choose-provider.ts')
  const chosen: ChosenProvider[] = []
  for (const source of sources) chosen.push(await chooseProvider(source, options, signal))
  return chosen
}
