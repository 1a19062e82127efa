/**
 * What names a disk on every host that sees it. `name` is the strongest name there is: a SCSI VPD 0x83 page
 * (`wwn:…`), an NVMe NGUID or EUI-64 (`nvme:…`), a virtio serial (`virtio:…`), a device-mapper UUID (`dm:…`);
 * null when the system knows none, which the ledger then says.
 */
export type DeviceIdentity = {
  readonly name: string | null
  readonly sizeBytes: number
  readonly sectorSizeBytes: number
}
