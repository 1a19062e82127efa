// What is expected of single images of the corpus, where the manifest does not say it.

/** Damage that a reader cannot see, or does not look at. Nothing is said of these images, and nothing may be. */
export const INVISIBLE: Readonly<Record<string, string>> = {
  'derived-lvm/label-in-sector-3/': 'a label may lie there',
  'derived-lvm/label-no-mda/': 'a physical volume may have no metadata of its own',
  'derived-thin/inner0-blocknr-wrong/': 'no tree leads to the node',
  'derived-thin/inner0-nr-entries-huge/': 'no tree leads to the node',
  'derived-thin/leaf0-blocknr-wrong/': 'no tree leads to the node',
  'derived-thin/leaf0-first-value-self/': 'no tree leads to the node',
  'derived-thin/leaf0-max-entries-zero/': 'no tree leads to the node',
  'derived-thin/leaf0-nr-entries-huge/': 'no tree leads to the node',
  'derived-thin/leaf0-value-size-1g/': 'no tree leads to the node',
  'derived-thin/leaf1-max-entries-zero/':
    'it is a node of a space map: counts of references, which nobody needs to read',
  'derived-thin/leaf1-nr-entries-huge/':
    'it is a node of a space map: counts of references, which nobody needs to read',
  'derived-thin/leaf1-value-size-1g/':
    'it is a node of a space map: counts of references, which nobody needs to read',
  'derived-xfs/v4-agi-root-oob/': 'inodes are found by their numbers; their trees serve to make new ones',
  'derived-xfs/v5-agi-root-oob/': 'inodes are found by their numbers; their trees serve to make new ones',
  'derived-xfs/v5-inobt-numrecs-60000/':
    'inodes are found by their numbers; their trees serve to make new ones',
  'derived-xfs/v4-log-trash/': 'the block is far from the head of the log, which ends with an unmount record',
  'e2fsprogs/f_bad_disconnected_inode/': 'no directory leads to the inode',
  'e2fsprogs/f_bad_fname/': 'names are bytes, whatever their encoding',
  'e2fsprogs/f_bad_local_jnl/':
    'the fields do not exist in that version of the journal, and the journal is clean',
  'e2fsprogs/f_badbblocks/': 'the list of bad blocks is of no use to a reader; the bitmap has them as in use',
  'e2fsprogs/f_badorphan/': 'no directory leads to orphans; the bitmap has their blocks as in use',
  'e2fsprogs/f_badtable/': 'the list of bad blocks is of no use to a reader',
  'e2fsprogs/f_bbfile/': 'the list of bad blocks is of no use to a reader',
  'e2fsprogs/f_big_sparse/': 'that there are blocks behind the end of a file is allowed',
  'e2fsprogs/f_clear_orphan_file/': 'a flag is set that says there may be orphans, and there are none',
  'e2fsprogs/f_cloneblock_alloc_error/': 'that two files have one block is seen by who compares all of them',
  'e2fsprogs/f_del_dup_quota/': 'that two files have one block is seen by who compares all of them',
  'e2fsprogs/f_dup_de/': 'that a name is there twice is seen by who compares all of them',
  'e2fsprogs/f_dupdot/': 'the entries of a directory for itself and the one above are not read',
  'e2fsprogs/f_ea_value_crash/': 'values of attributes may overlap for all that a reader knows',
  'e2fsprogs/f_end-bitmap/': 'the volume was not unmounted cleanly, so that no bitmap is read',
  'e2fsprogs/f_eofblocks/': 'that there are blocks behind the end of a file is allowed',
  'e2fsprogs/f_expand/': 'no directory leads to the inodes',
  'e2fsprogs/f_fast_symlink_extents/': 'a flag means nothing for a target that lies in its inode',
  'e2fsprogs/f_file_acl_high/': 'without 64 bits the field is none',
  'e2fsprogs/f_filetype/': 'what a directory says of the kind of a file is not read: the inode knows',
  'e2fsprogs/f_h_badnode/':
    'the hashes of a directory serve to find one name; all names are read from its leaves',
  'e2fsprogs/f_h_badroot/':
    'the hashes of a directory serve to find one name; all names are read from its leaves',
  'e2fsprogs/f_hugedir_blocks/': 'the block lies behind the end of the directory',
  'e2fsprogs/f_idata_and_extents/': 'one flag counts, the other is not looked at',
  'e2fsprogs/f_imagic/': 'a flag of another file system, which changes nothing',
  'e2fsprogs/f_lpf2/': 'no directory leads to the inodes',
  'e2fsprogs/f_orphan/': 'no directory leads to orphans; the bitmap has their blocks as in use',
  'e2fsprogs/f_orphan_dotdot_ft/': 'what a directory says of the kind of a file is not read: the inode knows',
  'e2fsprogs/f_orphan_extents_inode/': 'a file that is being cut has blocks behind its end',
  'e2fsprogs/f_orphan_indirect_inode/': 'a file that is being cut has blocks behind its end',
  'e2fsprogs/f_quota_invalid_inum/': 'quotas are not read',
  'e2fsprogs/f_recnect_bad/': 'no directory leads to the inodes, or the field means nothing there',
  'e2fsprogs/f_reconnect/': 'no directory leads to the inode',
  'e2fsprogs/f_short_encrypted_dirent/': 'names are bytes, encrypted or not',
  'e2fsprogs/f_toobig_extent_dir/': 'the block lies behind the end of the directory',
  'e2fsprogs/f_unused_itable/': 'how many inodes of a group were never used is not believed',
  'e2fsprogs/f_zeroed_ext_header/': 'the file is empty, so that its map is not read',
  'e2fsprogs/m_mmp_bad_csum/': 'protection from being mounted twice is not read',
}

/** Sound for the tools, and yet something is said: what, in a sentence of one of the complaints. */
export const ODD_BUT_SOUND: Readonly<Record<string, RegExp>> = {
  'dfvfs/ufs1_raw/': /marks that cannot all be true: mbr at byte 0, bsd disklabel at byte 512/,
  'syzkaller/exfat_00/': /^exfat is recognised, but not mapped/,
  'syzkaller/iso9660_01/': /^iso9660 is recognised, but not mapped/,
  'util-linux/images-pt-dos+bsd/': /marks that cannot all be true: mbr at byte 0, ext at byte 1024/,
  'e2fsprogs/f_bad_gdt_csum/': /^checksum is 0xffff/,
  'e2fsprogs/f_first_meta_bg_too_big/': /first meta block group is 2, expected 1 at most/,
  'e2fsprogs/j_corrupt_commit_csum/': /checksum of a commit block does not fit/,
  'e2fsprogs/j_corrupt_descr_csum/': /checksum of a descriptor block does not fit/,
  'ext4-view-rs/test_disk1/': /found an encrypted file/,
  'lvm-metadata/': /logical volume "[^"]+" on physical volume|physical volume "pv\d" .* is missing/,
  'util-linux/images-fs-ext4/': /^the journal is not replayed: .*beyond the end of the image/,
  'thin-provisioning-tools/tmeta_with_corrupted_metadata_snap/': /^magic is 0, expected 27022010/,
}

/** Facts that are not compared, and why. */
export const NOT_COMPARED: Readonly<Record<string, string>> = {
  'e2fsprogs/f_bad_gdt_csum/': 'the tool takes what is free from a descriptor whose checksum is wrong',
  'ext4-view-rs/test_disk1/': 'the tool takes bytes of encrypted files and links for their content',
}

/** What was changed in the images that were damaged on purpose, and how the complaint has to name it. */
export const NAMED: readonly (readonly [path: RegExp, complaint: RegExp])[] = [
  [/^derived-gpt\/(entr|primary-crc)/, /primary GPT header/],
  [/^derived-gpt\/hybrid/, /protective MBR/],
  [/^derived-gpt\/part/, /partition|GPT/],
  [/^derived-mbr\/(ebr|two)/, /extended partition link 2|partition 3/],
  [/^derived-mbr\/primary-start/, /partition 1/],
  [/^derived-lvm\/label-mda|^derived-lvm\/(mda|rlocn-size)/, /LVM2 metadata area/],
  [/^derived-lvm\/label-(crc|disk|offset)/, /LVM2 physical volume label/],
  [
    /^derived-lvm\/rlocn-crc|^derived-lvm\/text-(count|extent|name|nul|pe|seg|seq|stripe|unt)/,
    /LVM2 metadata text/,
  ],
  [/^derived-lvm\/text-overlap/, /LVM2 physical volume V9N6H5/],
  [/^derived-thin\/inner1/, /thin pool mapping tree node at byte 548864/],
  [/^derived-thin\/mapping-root/, /thin pool device mapping tree node at byte 0/],
  [/^derived-thin\/(super|version)/, /thin pool superblock at byte 0/],
  [/^derived-thin\/random/, /thin pool .*node at byte \d+: checksum/],
  [/^derived-xfs\/v\d-agf1/, /XFS AGF 1:/],
  [/^derived-xfs\/v\d-agf-(bnoroot-self)/, /XFS free space B-tree by block/],
  [/^derived-xfs\/v\d-agf-(bnoroot-oob|length|fl|bnolevel)/, /XFS AGF 0:/],
  [/^derived-xfs\/v\d-bnobt/, /XFS free space B-tree by block/],
  [/^derived-xfs\/v5-(bmap|ext)/, /XFS (inode 1425\d\d|extent B-tree block)/],
  [/^derived-xfs\/v5-dir(\d+)/, /XFS inode (142144|196736|196777), directory block/],
  [/^derived-xfs\/v5-inode/, /XFS inode \d+ .*checksum/],
  [/^derived-xfs\/v\d-rootino|^derived-xfs\/v5-sf/, /XFS inode (32|128)/],
  [/^derived-xfs\/v\d-sb-(ag|block|dblocks|inop|sect)/, /XFS superblock/],
  [/^derived-xfs\/v4-sb-rootino/, /XFS inode 281474976710655/],
]
