export type DeviceNumber = { readonly major: number; readonly minor: number }

/**
 * The device that a device file stands for. Its first word of the block map is the old form, eight bits each; when
 * that is 0, the second one is the new form, twelve bits of major and twenty of minor.
 */
export function parseDeviceNumber(blockMap: Uint8Array): DeviceNumber {
  const view = new DataView(blockMap.buffer, blockMap.byteOffset, blockMap.byteLength)
  const old = view.getUint32(0, true)
  if (old !== 0) return { major: (old >>> 8) & 0xff, minor: old & 0xff }
  const device = view.getUint32(4, true)
  return { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & 0xfff00) }
}
