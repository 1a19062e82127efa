// By what each kind of content is known: a few bytes at a fixed place. Where they are from: the manuals and headers
// that each format's own project publishes (kernel documentation of ext4, btrfs, f2fs, erofs, squashfs, nilfs2, md,
// dm-integrity, dm-verity, thin provisioning; LUKS1 and LUKS2 on-disk format specifications; XFS Algorithms & Data
// Structures; ECMA-119, ECMA-167; Apple File System Reference, TN1150; SNIA Common RAID DDF; DRBD user's guide), and
// what `blkid` and `wipefs` say of real volumes.
//
// A volume is looked at in all places. Whoever formats it anew may have left the mark of what was there before, and
// a mark at the end of a disk may be of an array whose content begins at its start. So two strong claims are never
// weighed against each other: both are named, and what they say of free space is believed of neither.
import type { Signature, SignaturePlace } from './signature.ts'

type Magic = readonly [offset: number, bytes: Uint8Array]
type Row = readonly [name: string, places: readonly SignaturePlace[], ...magic: readonly Magic[]]

const KIB = 1024
const MIB = 1024 * 1024

const text = (characters: string): Uint8Array => Uint8Array.from(characters, (each) => each.charCodeAt(0))
const hex = (digits: string): Uint8Array => Uint8Array.fromHex(digits.replaceAll(' ', ''))
const back = (bytes: number, align = 512, plus = 0): SignaturePlace => ({ back: bytes, align, plus })
const steps = (count: number, size: number): number[] =>
  Array.from({ length: count }, (_, index) => index * size)

/** Of bcache, and of bcachefs as long as it was a part of it. */
const BCACHE_MAGIC: Magic = [24, hex('c68573f64e1a45ca8265f57f48ba6d81')]
/** A page's size, in the last bytes of which swap has its mark. */
const PAGES = [4, 8, 16, 32, 64].map((kib) => kib * KIB - 10)
/** Each of the four labels of a ZFS device has a ring of 128 uberblocks in its second half. */
const ZFS_LABEL = 256 * KIB
const ZFS_RING = steps(128, KIB).map((offset) => 128 * KIB + offset)
/** From the end. */
const PROMISE_SECTORS = [63, 255, 256, 16, 399, 591, 675, 735, 911, 974, 991, 951, 3087]
/** Where descriptors of ISO 9660 and UDF lie; UDF may have them in blocks of 4096. */
const DESCRIPTORS = steps(32, 2 * KIB).map((offset) => 32 * KIB + offset)

const MAPPED: readonly (readonly [kind: 'lvm2' | 'ext' | 'xfs', ...row: Row])[] = [
  ['lvm2', 'lvm2', steps(4, 512), [0, text('LABELONE')], [24, text('LVM2 001')]],
  ['ext', 'ext', [KIB], [56, hex('53ef')]],
  ['xfs', 'xfs', [0], [0, text('XFSB')]],
]

const FILE_SYSTEMS: readonly Row[] = [
  ['btrfs', [64 * KIB], [64, text('_BHRfS_M')]],
  ['bcachefs', [4 * KIB], [24, hex('c68573f666ce90a9d96a60cf803df7ef')]],
  ['bcachefs', [4 * KIB], BCACHE_MAGIC, [8, hex('0000000000000000')]],
  ['zfs', [0, ZFS_LABEL].flatMap((label) => ZFS_RING.map((slot) => label + slot)), [0, hex('0cb1ba00')]],
  ['zfs', [0, ZFS_LABEL].flatMap((label) => ZFS_RING.map((slot) => label + slot)), [4, hex('00bab10c')]],
  ['f2fs', [KIB, 5 * KIB], [0, hex('1020f5f2')]],
  ['nilfs2', [KIB], [0, hex('02000000')], [6, hex('3434')]],
  ['jfs', [32 * KIB], [0, text('JFS1')]],
  ['reiserfs', [8 * KIB, 64 * KIB], [52, text('ReIsEr')]],
  ['reiser4', [64 * KIB], [0, text('ReIsEr4')]],
  ['ocfs2', [KIB, 2 * KIB, 4 * KIB, 8 * KIB], [0, text('OCFSV2')]],
  ['gfs', [64 * KIB], [0, hex('0116197000000001')]],
  ['erofs', [KIB], [0, hex('e2e1f5e0')]],
  ['squashfs', [0], [0, text('hsqs')]],
  ['squashfs', [0], [0, text('sqsh')]],
  ['cramfs', [0, 512], [0, hex('453dcd28')]],
  ['cramfs', [0, 512], [0, hex('28cd3d45')]],
  ['romfs', [0], [0, text('-rom1fs-')]],
  ['ubi', [0], [0, text('UBI#')]],
  ['ubifs', [0], [0, hex('31181006')]],
  ['zonefs', [0], [0, text('SFOZ')]],
  ['iso9660', DESCRIPTORS, [1, text('CD001')]],
  ['iso9660', DESCRIPTORS, [9, text('CDROM')]],
  ['udf', DESCRIPTORS, [1, text('NSR02')]],
  ['udf', DESCRIPTORS, [1, text('NSR03')]],
  ['hfsplus', [KIB], [0, hex('482b0004')]],
  ['hfsplus', [KIB], [0, hex('48580005')]],
  ['apfs', [0], [32, text('NXSB')]],
  ['vmfs', [2 * MIB], [0, hex('5ef1ab2f')]],
  ['hpfs', [8 * KIB], [0, hex('49e895f9')]],
  ['ufs', [0, 8 * KIB, 64 * KIB, 256 * KIB], [1372, hex('54190100')]],
  ['ufs', [0, 8 * KIB, 64 * KIB, 256 * KIB], [1372, hex('00011954')]],
  ['ufs2', [0, 8 * KIB, 64 * KIB, 256 * KIB], [1372, hex('19015419')]],
  ['ufs2', [0, 8 * KIB, 64 * KIB, 256 * KIB], [1372, hex('19540119')]],
  ['vxfs', [KIB], [0, hex('f5fc01a5')]],
  ['vxfs', [8 * KIB], [0, hex('a501fcf5')]],
  ['bfs', [0], [0, hex('cefaad1b')]],
  ['befs', [0, 512], [32, text('1SFB')]],
  ['befs', [0, 512], [32, text('BFS1')]],
  ['nss', [4 * KIB], [0, text('SPB5')]],
  ['mpool', [0], [0, text('mpoolDev')]],
  ['scoutfs metadata', [64 * KIB], [4, hex('8b423c10')]],
  ['oracle asm', [0], [32, text('ORCLDISK')]],
  ['bluestore', [0], [0, text('bluestore block device')]],
]

const BELOW_FILE_SYSTEMS: readonly Row[] = [
  ['swap', PAGES, [0, text('SWAP-SPACE')]],
  ['swap', PAGES, [0, text('SWAPSPACE2')]],
  ['hibernation image', PAGES, [0, text('S1SUSPEND')]],
  ['hibernation image', PAGES, [0, text('S2SUSPEND')]],
  ['hibernation image', PAGES, [0, text('ULSUSPEND')]],
  ['hibernation image', PAGES, [0, text('LINHIB0001')]],
  ['hibernation image', PAGES, [0, hex('edc302e99856e50c')]],
  ['luks1', [0], [0, hex('4c554b53babe0001')]],
  ['luks2', [0], [0, hex('4c554b53babe0002')]],
  ['core storage', [0], [88, hex('435301000000')]],
  ['md raid 0.90', [back(64 * KIB, 64 * KIB)], [0, hex('fc4e2ba9000000005a000000')]],
  ['md raid 0.90', [back(64 * KIB, 64 * KIB)], [0, hex('a92b4efc000000000000005a')]],
  ['md raid 1.0', [back(8 * KIB, 4 * KIB)], [0, hex('fc4e2ba901000000')]],
  ['md raid 1.1', [0], [0, hex('fc4e2ba901000000')]],
  ['md raid 1.2', [4 * KIB], [0, hex('fc4e2ba901000000')]],
  ['bcache', [4 * KIB], BCACHE_MAGIC, [8, hex('0800000000000000')]],
  ['drbd', [back(4 * KIB, 1)], [60, hex('8374026b')]],
  ['drbd', [back(4 * KIB, 1)], [60, hex('8374026c')]],
  ['drbd', [back(4 * KIB, 1)], [60, hex('8374026d')]],
  ['vdo', [0], [0, text('dmvdo001')]],
  ['stratis', [516, 9 * 512 + 4], [0, hex('2153747261307469 7386ff025e417268')]],
  ['dm-integrity', [0], [0, text('integrt\0')]],
  ['dm-verity', [0], [0, text('verity\0\0')]],
  ['dm-snapshot store', [0], [0, text('SnAp')], [8, hex('01000000')]],
  ['dm-thin metadata', [0], [32, hex('ba529c0100000000')]],
  ['dm-cache metadata', [0], [32, hex('03c4180000000000')]],
  ['lvm1', [0], [0, hex('484d0100')]],
  ['lvm1', [0], [0, hex('484d0200')]],
  ['vmfs volume', [MIB], [0, hex('0dd001c0')]],
  ['windows dynamic disk', [6 * 512], [0, text('PRIVHEAD')]],
  ['ddf raid', [back(512), back(257 * 512)], [0, hex('de11de11')]],
  ['ddf raid', [back(512), back(257 * 512)], [0, hex('11de11de')]],
  ['intel raid', [back(1024), back(8192, 4096)], [0, text('Intel Raid ISM Cfg Sig. ')]],
  ['lsi megaraid', [back(512)], [0, text('$XIDE$')]],
  ['nvidia raid', [back(1024)], [0, text('NVIDIA  ')]],
  ['silicon medley raid', [back(512)], [96, hex('0000002f')]],
  ['adaptec raid', [back(512)], [0, hex('37fc4d1e')], [256, text('DPTM')]],
  ['highpoint raid', [9 * 512], [32, hex('f016785a')]],
  ['highpoint raid', [9 * 512], [32, hex('fd16785a')]],
  ['highpoint raid', [back(11 * 512)], [0, hex('f316785a')]],
  ['highpoint raid', [back(11 * 512)], [0, hex('fd16785a')]],
  [
    'promise raid',
    PROMISE_SECTORS.map((sectors) => back(sectors * 512)),
    [0, text('Promise Technology, Inc.')],
  ],
  ['bsd disklabel', [64, 512], [0, hex('57455682')], [132, hex('57455682')]],
  ['sgi disk label', [0], [0, hex('0be5a941')]],
  ['aix disk label', [0], [0, hex('c9c2d4c1')]],
  ['dasd volume label', [KIB, 2 * KIB, 4 * KIB, 8 * KIB], [0, hex('e5d6d3f1')]],
  ['apple partition map', [0], [0, text('ER')], [512, hex('504d0000')]],
  ['apple partition map', [0], [0, text('ER')], [2048, hex('504d0000')]],
]

/** Not what a volume should hold, but what a file that is no raw image begins with. */
const IMAGE_FILES: readonly Row[] = [
  ['qcow image', [0], [0, hex('514649fb')]],
  ['vmdk image', [0], [0, text('KDMV')]],
  ['vmdk image', [0], [0, text('COWD')]],
  ['vhdx image', [0], [0, text('vhdxfile')]],
  ['vhd image', [0], [0, text('conectix')]],
  ['vdi image', [0], [64, hex('7f10dabe')]],
  ['xfs metadata dump', [0], [0, text('XFSM')]],
  ['xfs metadata dump', [0], [0, text('XMD2')]],
  ['btrfs metadata dump', [0], [0, hex('8b669572e2255cbd')]],
]

const WEAK: readonly Row[] = [
  ['minix', [KIB], [16, hex('7f13')]],
  ['minix', [KIB], [16, hex('8f13')]],
  ['minix', [KIB], [16, hex('6824')]],
  ['minix', [KIB], [16, hex('7824')]],
  ['minix', [KIB], [24, hex('5a4d')]],
  ['hfs', [KIB], [0, text('BD')]],
  ['sun disk label', [0], [508, hex('dabe')]],
  ['xfs log', [0], [0, hex('feedbabe')]],
  ['luks2', steps(9, 1).map((power) => 16 * KIB * 2 ** power), [0, hex('534b554cbabe0002')]],
  ['zfs', ZFS_RING.map((slot) => back(2 * ZFS_LABEL, ZFS_LABEL, slot)), [0, hex('0cb1ba00')]],
  ['zfs', ZFS_RING.map((slot) => back(ZFS_LABEL, ZFS_LABEL, slot)), [0, hex('0cb1ba00')]],
]

/** An external journal has the superblock of a file system, and says by one bit that it is none. */
const EXT_JOURNAL: Signature = {
  ...signature(['ext journal', [KIB], [56, hex('53ef')], [96, hex('08000000')]], 'foreign'),
  insteadOf: 'ext',
}

export const SIGNATURES: readonly Signature[] = [
  ...MAPPED.map(([kind, ...row]) => signature(row, kind)),
  EXT_JOURNAL,
  ...[...FILE_SYSTEMS, ...BELOW_FILE_SYSTEMS, ...IMAGE_FILES].map((row) => signature(row, 'foreign')),
  ...WEAK.map((row) => ({ ...signature(row, 'foreign'), isWeak: true })),
]

function signature([name, places, ...magic]: Row, kind: Signature['kind']): Signature {
  return { name, kind, places, magic, isWeak: false, insteadOf: null }
}
