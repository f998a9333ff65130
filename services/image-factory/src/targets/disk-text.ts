/**
 * The parts of `bake.sh` that make a disk, and what it boots with. Nothing is mounted for it, and no loop device is needed:
 * each filesystem is written where it stands in the file of the disk.
 *
 * The boot loader is GRUB, of the image's own packages, so that the list of packages says which one it is, and the host has no say
 * in it. It is found by every UEFI under the name for removable disks, reads its settings from the root filesystem, which it finds by
 * its UUID, and starts what `/vmlinuz` and `/initrd.img` lead to: those links follow the newest kernel.
 */
export const DISK = `
# --- what a disk boots with ---

# What the template has not brought: a kernel, an init, a boot loader, a network.
boot() {
  have mformat || fail 'mtools is not on the host: install it with "apt-get install mtools"'
  enter
  if ! inside sh -c 'ls /var/lib/apt/lists/*Release' >/dev/null 2>&1; then inside apt-get -q update; fi
  set -- initramfs-tools e2fsprogs dbus "grub-efi-$ARCH-bin"
  inside test -e /sbin/init || set -- "$@" systemd-sysv
  printf '%s\\n' "$@" | apt_install
  # What the kernel loads the system with is made when the kernel is installed: once, if all that goes in is there by then.
  set --
  if ! inside sh -c 'ls -d /vmlinuz /boot/vmlinuz*' 2>/dev/null | grep -q .; then
    kernel=$(kernel)
    set -- "$kernel"
  fi
  # Parts of systemd that are packages of their own in newer releases. Once the first is there, no name is known here any more.
  for name in systemd-resolved systemd-repart; do
    if in_archive "$name"; then set -- "$@" "$name"; fi
  done
  printf '%s\\n' "$@" | apt_install
  # Kernels that no system packages make no links.
  inside sh -c 'if [ ! -e /vmlinuz ] && [ ! -e /boot/vmlinuz ]; then
      version=$(ls /boot/vmlinuz-* | sed "s,^/boot/vmlinuz-,," | sort -V | tail -n 1)
      ln -s "boot/vmlinuz-$version" /vmlinuz
      if [ -e "/boot/initrd.img-$version" ]; then ln -s "boot/initrd.img-$version" /initrd.img; fi
    fi
    mkdir -p /boot/efi /boot/grub /etc/repart.d'
  grub_settings | of_disk /boot/grub/grub.cfg
  # Where the disk is larger than the image of it, the root takes the rest: the partition by this, and what is in it by fstab.
  printf '[Partition]\\nType=root\\n' | inside sh -c 'cat >/etc/repart.d/50-root.conf'
  network
}
in_archive() { inside apt-cache show "$1" >/dev/null 2>&1; }
# For machines that are virtual where there is one for them: it has their drivers, and is a fraction of the others.
kernel() {
  case $OS in
    ubuntu) set -- linux-image-virtual linux-image-generic ;;
    *) set -- "linux-image-cloud-$ARCH" "linux-image-$ARCH" ;;
  esac
  for name; do
    if in_archive "$name"; then
      printf '%s' "$name"
      return
    fi
  done
  fail "the archives of the image have no kernel by the name of $1: name one among the packages, or set targets.raw.boot to none"
}
# An address for whatever ethernet there is, unless the template has brought something else that sees to it.
network() {
  if inside sh -c 'command -v ifup || command -v NetworkManager || command -v netplan || command -v connmand || [ ! -d /lib/systemd/system ]' >/dev/null; then return; fi
  inside sh -c 'mkdir -p /etc/systemd/network; cat >/etc/systemd/network/90-ethernet.network' <<'END'
[Match]
Name=en* eth*

[Network]
DHCP=yes
END
  inside systemctl enable systemd-networkd.service systemd-resolved.service
  inside ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
}
grub_settings() {
  # Of several consoles the last that is there is the one that talks.
  consoles='console=tty0 console=ttyS0,115200'
  if [ "$ARCH" = arm64 ]; then consoles="$consoles console=ttyAMA0,115200"; fi
  printf 'set timeout_style=hidden\\nset timeout=1\\nset default=0\\nset fallback=1\\n'
  grub_entry 'The newest kernel' ''
  grub_entry 'The kernel before it' .old
}
grub_entry() { # title, end of the links
  cat <<END
menuentry '$1' {
  set at=
  if [ ! -e /vmlinuz$2 ]; then set at=/boot; fi
  linux \\$at/vmlinuz$2 root=UUID=$FS_UUID ro quiet $consoles
  if [ -e \\$at/initrd.img$2 ]; then initrd \\$at/initrd.img$2; fi
}
END
}
# The first line of what names the disk.
OF_DISK='# Of this disk: written anew for each.'
# A file that names the disk. One that came with the image that this one is made of names another; one of the template stays.
of_disk() { # path; its content comes in
  inside sh -c 'if grep -qs "^[^#]" "$1" && ! grep -qxF "$2" "$1"; then exit; fi; { printf "%s\\n" "$2"; cat; } >"$1"' sh "$1" "$OF_DISK"
}
mounts() {
  if [ "$BOOT" = none ]; then
    printf 'UUID=%s / ext4 defaults 0 1\\n' "$FS_UUID"
  else
    printf 'UUID=%s / ext4 defaults,x-systemd.growfs 0 1\\nUUID=%s /boot/efi vfat umask=0077,nofail 0 0\\n' "$FS_UUID" "$(printf '%s' "$ESP_ID" | sed 's/^..../&-/')"
  fi
}

# --- the disk ---

# In MiB. FAT32 takes no less than some 33.
ESP=64

# A disk, made without mounting anything: the system, and before it what boots it.
disk() {
  have mke2fs || fail 'mke2fs is not on the host: install it with "apt-get install e2fsprogs"'
  have sfdisk || fail 'sfdisk is not on the host: install it with "apt-get install fdisk"'
  same_times
  mkdir -p out
  rm -f out/image.raw
  truncate -s "\${SIZE}M" out/image.raw
  E2FSPROGS_FAKE_TIME=$(cat bake/epoch)
  SOURCE_DATE_EPOCH=$E2FSPROGS_FAKE_TIME
  export E2FSPROGS_FAKE_TIME SOURCE_DATE_EPOCH
  # A MiB at each end is for the table.
  at=1
  parts=
  if [ "$BOOT" = uefi ]; then
    at=$((1 + ESP))
    parts="start=2048, size=$((ESP * 2048)), type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=$ESP_UUID, name=boot
"
  fi
  length=$((SIZE - at - 1))
  printf 'label: gpt\\nlabel-id: %s\\n%sstart=%s, size=%s, type=%s, uuid=%s, name=root\\n' "$DISK_UUID" "$parts" $((at * 2048)) $((length * 2048)) "$PARTITION_TYPE" "$PARTITION_UUID" | sfdisk -q out/image.raw
  if [ "$BOOT" = uefi ]; then loader; fi
  ext4 >bake/mke2fs.conf
  if ! MKE2FS_CONFIG=bake/mke2fs.conf mke2fs -q -F -t ext4 -b 4096 -m 1 -L root -U "$FS_UUID" -E "offset=$((at * 1048576)),hash_seed=$FS_UUID,lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0" -d root out/image.raw $((length * 256)) >bake/mke2fs.log 2>&1; then
    if ! grep -qiE 'could not allocate|no space|too small|not enough' bake/mke2fs.log; then cat bake/mke2fs.log >&2; fi
    fail "what the image holds ($(du -sm root | cut -f 1) MiB) does not fit on its disk of $SIZE MiB: set targets.raw.size"
  fi
}
# What boot loaders and kernels of all releases can read, whatever the host would make by itself.
ext4() {
  cat <<'END'
[defaults]
	base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
	inode_size = 256
	inode_ratio = 16384
[fs_types]
	ext4 = {
		features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
	}
END
}
# The partition that the firmware looks in.
loader() {
  inside sh -c 'test -e /vmlinuz || test -e /boot/vmlinuz' || fail 'the image has no kernel that /vmlinuz or /boot/vmlinuz leads to: name one among the packages, or set targets.raw.boot to none'
  case $ARCH in
    arm64) set -- arm64-efi BOOTAA64.EFI ;;
    *) set -- x86_64-efi BOOTX64.EFI ;;
  esac
  inside grub-mkimage -O "$1" -p /EFI/BOOT all_video boot cat configfile echo efi_gop ext2 fat gfxterm gzio halt linux loadenv ls minicmd normal part_gpt part_msdos reboot regexp search search_fs_uuid search_label sleep test true >bake/loader.efi
  printf 'search --no-floppy --fs-uuid --set=root %s\\nset prefix=($root)/boot/grub\\nconfigfile $prefix/grub.cfg\\n' "$FS_UUID" >bake/loader.cfg
  touch -d "@$SOURCE_DATE_EPOCH" bake/loader.efi bake/loader.cfg
  on="out/image.raw@@1048576"
  TZ=UTC MTOOLSRC=/dev/null
  export TZ MTOOLSRC
  mformat -i "$on" -F -c 1 -T $((ESP * 2048)) -h 255 -s 63 -H 2048 -N "$ESP_ID" -v BOOT ::
  mmd -i "$on" ::/EFI ::/EFI/BOOT
  mcopy -m -i "$on" bake/loader.efi "::/EFI/BOOT/$2"
  mcopy -m -i "$on" bake/loader.cfg ::/EFI/BOOT/grub.cfg
}
`;
