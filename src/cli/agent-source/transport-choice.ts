/** What a user may ask for. `auto`: as the disks allow. */
export const TRANSPORT_CHOICES = ['auto', 'san', 'lan'] as const
export type TransportChoice = (typeof TRANSPORT_CHOICES)[number]
