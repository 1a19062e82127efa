/** Ways of freezing that a user can ask for. */
export const PROVIDER_NAMES = ['auto', 'device', 'lvm-thin', 'lvm', 'reflink', 'nbd'] as const
export type ProviderChoice = (typeof PROVIDER_NAMES)[number]
export type ProviderName = Exclude<ProviderChoice, 'auto'>

/** Those that make a frozen image of something that goes on being written. */
export type FreezingProvider = Exclude<ProviderName, 'device' | 'nbd'>

export function isFreezing(name: ProviderName): name is FreezingProvider {
  return name !== 'device' && name !== 'nbd'
}
