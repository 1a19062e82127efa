import type { Clock } from '../domain/clock.ts'
import type { Randomness } from '../domain/randomness.ts'
import type { Provider } from '../capture/provider/provider.ts'
import type { FreezingProvider } from './provider-name.ts'

type ProviderParts = { readonly clock: Clock; readonly randomness: Randomness }

/** Each is loaded only where it is used. */
const LOAD: Readonly<Record<FreezingProvider, (parts: ProviderParts) => Promise<Provider>>> = {
  'lvm-thin': async (parts) => {
    const { lvmThinProvider } = await import('../capture/lvm/thin-provider.ts')
    const { hostLvm } = await import('../linux/lvm/lvm-tools.ts')
    return lvmThinProvider({ ...parts, tools: hostLvm })
  },
  lvm: async (parts) => {
    const { lvmProvider } = await import('../capture/lvm/classic-provider.ts')
    const { hostLvm } = await import('../linux/lvm/lvm-tools.ts')
    return lvmProvider({ ...parts, tools: hostLvm })
  },
  reflink: async (parts) => {
    const { reflinkProvider } = await import('../capture/reflink/reflink-provider.ts')
    const { linuxReflinkTools } = await import('../linux/reflink/reflink-tools.ts')
    return reflinkProvider(linuxReflinkTools(parts))
  },
}

export const FREEZING_PROVIDERS: readonly FreezingProvider[] = ['lvm-thin', 'lvm', 'reflink']

export async function loadProvider(name: FreezingProvider, parts: ProviderParts): Promise<Provider> {
  return await LOAD[name](parts)
}
