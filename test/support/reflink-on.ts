import { reflinkProvider } from '../../src/capture/reflink/reflink-provider.ts'
import type { Provider } from '../../src/capture/provider/provider.ts'
import { systemRandomness } from '../../src/cli/system-randomness.ts'
import { systemClock } from '../../src/domain/clock.ts'
import { linuxReflinkTools } from '../../src/linux/reflink/reflink-tools.ts'

/** The provider of clones, which sees those of one file system only: tests beside this one make and release their own. */
export function reflinkOn(mountPoint: string): Provider {
  const tools = linuxReflinkTools({ clock: systemClock, randomness: systemRandomness })
  const folders: typeof tools.folders = async () =>
    (await tools.folders()).filter(({ path }) => path.startsWith(`${mountPoint}/`))
  return reflinkProvider({ ...tools, folders })
}
