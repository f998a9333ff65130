import { DISK } from './disk-text.js';

/**
 * What bakes an image, a part at a time: `sh bake/bake.sh PART`. The same text for every template: values come in the
 * environment and in the files of `bake/in`, and none of them is ever read as a script, but for the commands of the template,
 * which are scripts.
 *
 * The image is the folder `root` of the working copy, or with WHERE=host the host itself. Parts run in namespaces of their own
 * for mounts and processes: whatever becomes of a part, killed or not, no mount of it stays, and nothing that it has started.
 * (A mount that stayed would be emptied with the working copy.) What a part puts into the image for its own time it takes out
 * again by a trap. All that touches files of the image runs in it: a link that leads to `/` leads there into the image.
 */
export const BAKE = `set -eu
umask 022
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
WHERE=\${WHERE:-image}

fail() {
  printf '%s\\n' "$1" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# --- where it runs ---

apart() { # part
  [ "$(id -u)" = 0 ] || fail 'building an image needs root: lease a host that Berth logs in to as root'
  have unshare || fail 'building an image needs unshare on the host: install it with "apt-get install util-linux"'
  unshare --mount --pid --fork true 2>/dev/null || fail 'this host does not let root make namespaces, which images are built in: lease a host that is no container'
  exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc -- sh bake/bake.sh "apart-$1"
}

host_root() { # part
  [ "$(id -u)" = 0 ] && return
  sudo -n true 2>/dev/null || fail 'making an image of a host needs root on it: let the login of Berth use sudo without a password'
  # What root puts there, that login can still remove.
  mkdir -p out
  exec sudo -n --preserve-env=WHERE,COMMAND,ROOT_PASSWORD,NAME,REVISION,OS,ARCH,SUITE,BERTH_ACTION,BERTH_LEASE,BERTH_BUILD_ID,BERTH_BUILD_GENERATION sh bake/bake.sh "$1"
}

# Where the trap puts back what was there before.
enter() {
  [ "$WHERE" = host ] && return
  [ -d root ] || fail 'there is no root filesystem: the step that makes it has not run'
  trap leave EXIT
  trap 'exit 143' TERM
  trap 'exit 130' INT
  trap 'exit 129' HUP
  mount -t proc proc root/proc
  mount -t sysfs -o ro sysfs root/sys 2>/dev/null || :
  rm -rf bake/kept
  mkdir -p bake/kept
  if [ -e /etc/resolv.conf ]; then put_in /etc/resolv.conf </etc/resolv.conf; fi
  put_in /etc/apt/apt.conf.d/00berth-bake <bake/acquire.conf
  # Nothing that is installed is started.
  printf '#!/bin/sh\\nexit 101\\n' | put_in /usr/sbin/policy-rc.d
  inside chmod 755 /usr/sbin/policy-rc.d
}
leave() {
  set +e
  take_out /usr/sbin/policy-rc.d
  take_out /etc/apt/apt.conf.d/00berth-bake
  take_out /etc/resolv.conf
}
put_in() { # path; its content comes in
  key=$(printf '%s' "$1" | tr / _)
  cat >"bake/kept/$key.ours"
  inside sh -c 'if [ -e "$1" ] || [ -L "$1" ]; then mv -f -- "$1" "$1.berth-bake"; fi; cat >"$1"' sh "$1" <"bake/kept/$key.ours"
}
take_out() { # path; what the template has written there meanwhile stays
  key=$(printf '%s' "$1" | tr / _)
  [ -e "bake/kept/$key.ours" ] || return 0
  inside sh -c 'if [ ! -L "$1" ] && cmp -s - "$1"; then rm -f -- "$1"; fi
    if [ -e "$1.berth-bake" ] || [ -L "$1.berth-bake" ]; then if [ -e "$1" ] || [ -L "$1" ]; then rm -f -- "$1.berth-bake"; else mv -- "$1.berth-bake" "$1"; fi; fi' sh "$1" <"bake/kept/$key.ours"
  rm -f "bake/kept/$key.ours"
}

# Runs a program of the image in it, with an environment of its own. By its marks Berth knows what it has to end.
inside() {
  set -- env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \\
    BERTH_ACTION="\${BERTH_ACTION:-}" BERTH_LEASE="\${BERTH_LEASE:-}" "$@"
  if [ "$WHERE" = host ]; then "$@"; else chroot root "$@"; fi
}

# --- the root filesystem ---

# Which archives it is installed from: the one that the template names, else those that the host has for the suite, else the
# host's archive of the same system.
archives() {
  if [ -n "\${MIRROR:-}" ]; then
    printf 'deb %s %s %s\\n' "$MIRROR" "$SUITE" "$COMPONENTS"
    return
  fi
  have apt-get || return 0
  set --
  if [ -z "$(targets "$@")" ]; then
    # Its lists are empty, as on a fresh system.
    mkdir -p bake/lists/partial
    set -- -o "Dir::State::lists=$PWD/bake/lists" -o APT::Sandbox::User=root
    apt-get "$@" -q update >&2 || return 0
  fi
  targets "$@" | awk -F '|' '
    BEGIN { suite = ENVIRON["SUITE"]; os = ENVIRON["OS"]; wanted = " " ENVIRON["COMPONENTS"] " " }
    $5 != "" && tolower($5) != os { next }
    index(wanted, " " $4 " ") == 0 { next }
    $2 == suite || $3 == suite { found = 1; print "deb " $1 " " suite " " $4; next }
    $2 == suite "-updates" || $2 == suite "-security" || $2 == suite "/updates" { print "deb " $1 " " $2 " " $4; next }
    $2 !~ /(updates|security|backports)$/ && other == "" { other = $1 }
    END { if (!found && other != "") print "deb " other " " suite " " ENVIRON["COMPONENTS"] }' | sort -u
}
targets() { apt-get "$@" indextargets --format '$(REPO_URI)|$(RELEASE)|$(CODENAME)|$(COMPONENT)|$(ORIGIN)' 'Created-By: Packages' 2>/dev/null; }

base() {
  own=$(dpkg --print-architecture 2>/dev/null || uname -m)
  [ "$own" = "$ARCH" ] || fail "the host is $own and the image is to be $ARCH: lease a host of that architecture"
  rm -rf root
  mkdir -p bake/in
  # How the host reaches archives: proxies, certificates.
  if have apt-config; then apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries|ForceIPv)' || :; fi >bake/acquire.conf
  if [ -n "\${PARENT_FILE:-}" ]; then from_parent; else install; fi
}

install() {
  have mmdebstrap || have debootstrap || fail 'neither mmdebstrap nor debootstrap is on the host: install one with "apt-get install mmdebstrap"'
  archives >bake/archives.list
  more=
  if cat bake/archives.list bake/in/*.sources 2>/dev/null | grep -q https://; then more=ca-certificates; fi
  cat bake/archives.list
  if have mmdebstrap; then
    set -- --mode=root --variant=minbase --format=directory --architectures="$ARCH" --aptopt="$PWD/bake/acquire.conf" --skip=cleanup/apt/lists
    [ -z "$more" ] || set -- "$@" --include="$more"
    if [ -s bake/archives.list ]; then mmdebstrap "$@" "$SUITE" root bake/archives.list; else mmdebstrap "$@" "$SUITE" root; fi
    rm -f root/etc/apt/apt.conf.d/99mmdebstrap
  else
    http_proxy=\${http_proxy:-}
    https_proxy=\${https_proxy:-}
    eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
    export http_proxy https_proxy
    archive=$(awk '$3 == ENVIRON["SUITE"] { print $2; exit }' bake/archives.list)
    set -- --variant=minbase --arch="$ARCH"
    [ -z "$more" ] || set -- "$@" --include="$more"
    set -- "$@" "$SUITE" root
    [ -z "$archive" ] || set -- "$@" "$archive"
    debootstrap "$@"
    if [ -s bake/archives.list ]; then cp bake/archives.list root/etc/apt/sources.list; fi
  fi
  # The host's own: the image gets its name and its servers where it runs.
  rm -f root/etc/hostname root/etc/resolv.conf
  if ! have mmdebstrap; then
    enter
    inside apt-get -q update
    inside apt-get -q -y dist-upgrade
  fi
}

# The root filesystem of what the image is made of, as that was kept.
from_parent() {
  mkdir root
  case $PARENT_FILE in
    *.oci.tar) unpack_layer ;;
    *) copy_disk ;;
  esac
  rm -rf bake/parent
  # Its times are no newer than this.
  find root -xdev -printf '%T@\\n' | sort -n | tail -n 1 | cut -d . -f 1 >bake/begun
  devices
}
unpack_layer() { # of an archive with one layer, which is what is made here
  tar -C bake/parent -xf "bake/parent/$PARENT_FILE"
  rm "bake/parent/$PARENT_FILE"
  manifest=$(digest manifests bake/parent/index.json)
  layer=$(digest layers "bake/parent/blobs/sha256/$manifest")
  [ -n "$layer" ] || fail 'the archive of the image that it is made of has no layer: build that image again'
  tar -C root --numeric-owner --xattrs '--xattrs-include=*' -xpzf "bake/parent/blobs/sha256/$layer"
}
digest() { # name of a list, file: of the first in that list
  sed -n 's/.*"'"$1"'":\\[{[^}]*"digest":"sha256:\\([0-9a-f]*\\)".*/\\1/p' "$2"
}
copy_disk() {
  have sfdisk || fail 'sfdisk is not on the host: install it with "apt-get install fdisk"'
  start=$(sfdisk -d "bake/parent/$PARENT_FILE" | sed -n 's/.*start= *\\([0-9]*\\),.*name="root".*/\\1/p')
  [ -n "$start" ] || fail 'the disk of the image that the image is made of has no partition named root: build that image again'
  mkdir -p bake/disk
  mount -t ext4 -o "loop,ro,offset=$((start * 512))" "bake/parent/$PARENT_FILE" bake/disk ||
    fail 'this host can not mount the disk of the image that the image is made of: lease a host with loop devices, or build that image as oci too'
  cp -a bake/disk/. root
  umount bake/disk
  rmdir root/lost+found
  # What says which disk it was on.
  for name in /etc/fstab /boot/grub/grub.cfg; do inside sh -c 'if grep -qsxF "$2" "$1"; then rm "$1"; fi' sh "$name" "$OF_DISK"; done
}
# An archive for containers has none, and programs of the image need them while it is built.
devices() {
  inside sh -ec 'cd /dev
    node() { [ -e "$1" ] || { mknod "$1" c "$3" "$4"; chmod "$2" "$1"; }; }
    link() { [ -L "$1" ] || ln -s "$2" "$1"; }
    node null 666 1 3
    node zero 666 1 5
    node full 666 1 7
    node random 666 1 8
    node urandom 666 1 9
    node tty 666 5 0
    node ptmx 666 5 2
    node console 600 5 1
    link fd /proc/self/fd
    link stdin /proc/self/fd/0
    link stdout /proc/self/fd/1
    link stderr /proc/self/fd/2
    mkdir -p pts shm'
}

# --- what the template asks for ---

repositories() {
  write_keys
  for list in bake/in/*.sources; do
    [ -e "$list" ] || continue
    name=\${list##*/}
    inside sh -c 'mkdir -p /etc/apt/sources.list.d; cat >"/etc/apt/sources.list.d/$1"' sh "$name" <"$list"
  done
  for list in bake/in/*.repo; do
    [ -e "$list" ] || continue
    name=\${list##*/}
    inside sh -c 'mkdir -p /etc/yum.repos.d; cat >"/etc/yum.repos.d/$1"' sh "$name" <"$list"
  done
}

packages() {
  enter
  if inside sh -c 'command -v apt-get' >/dev/null; then
    rm -f bake/in/*.repo
    repositories
    if [ "$WHERE" = host ] || ls bake/in/*.sources >/dev/null 2>&1 || ! inside sh -c 'ls /var/lib/apt/lists/*Release' >/dev/null 2>&1; then inside apt-get -q update; fi
    cat bake/in/packages-* 2>/dev/null | apt_install
  elif inside sh -c 'command -v dnf' >/dev/null; then
    rm -f bake/in/*.sources
    repositories
    cat bake/in/packages-* 2>/dev/null | inside xargs -r dnf -y install
  else
    fail 'neither apt-get nor dnf is there to install packages with'
  fi
}

apt_install() { # their names come in, a line each; what is made by installing them has the time of the lists
  inside env SOURCE_DATE_EPOCH="$(epoch)" xargs -r apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confold install
}

files() {
  enter
  write_files '*'
}
# Keys of repositories have to be there before what is in them.
write_keys() {
  [ -e bake/in/files ] || return 0
  write_files '/etc/apt/*'
  write_files '/usr/share/keyrings/*'
  write_files '/etc/pki/*'
}
write_files() { # pattern
  number=0
  while IFS= read -r line; do
    number=$((number + 1))
    case \${line#* } in $1) ;; *) continue ;; esac
    inside sh -c 'mkdir -p -- "$(dirname -- "$1")" && cat >"$1" && chmod -- "$2" "$1"' sh "\${line#* }" "\${line%% *}" <"bake/in/file-$number" || fail "file $number of the template could not be written: \${line#* }"
  done <bake/in/files
}

command_() {
  enter
  script=$(inside mktemp /tmp/bake.XXXXXXXX)
  printf '%s\\n' "$COMMAND" | inside sh -c 'cat >"$1"' sh "$script"
  status=0
  inside sh -e "$script" </dev/null || status=$?
  inside rm -f "$script"
  exit "$status"
}

password() {
  enter
  case $ROOT_PASSWORD in
    '' | *'
'*) fail 'the password of root must be one line that is not empty: set the secret again' ;;
  esac
  printf 'root:%s\\n' "$ROOT_PASSWORD" | inside chpasswd
}

# Not "!", which some servers of SSH take for an account that may not log in at all, by key neither.
lock() {
  enter
  inside usermod -p '*' root
}

# --- what it is made of ---

sbom() {
  enter
  mkdir -p out
  if inside sh -c 'command -v dpkg-query' >/dev/null; then
    inside dpkg-query -W -f 'deb\\t\${Package}\\t\${Version}\\t\${Architecture}\\t\${db:Status-Abbrev}\\n' >bake/listed
  else
    inside rpm -qa --qf 'rpm\\t%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\t%{ARCH}\\tii\\n' | sed 's/\\(\\t\\)0:/\\1/' | grep -v '^rpm.gpg-pubkey' >bake/listed
  fi
  document <bake/listed >out/sbom.spdx.json
}
document() { # as UTF-8, whatever a package calls itself; only what is installed
  if have iconv; then iconv -c -f UTF-8 -t UTF-8; else cat; fi | sort -u | awk -f bake/sbom.awk
}

# --- the end ---

# The same packages make the same times: those of the newest list of packages, or of what it is made of.
epoch() {
  {
    cat bake/begun 2>/dev/null || :
    inside sh -c 'sed -n "s/^Date: //p" /var/lib/apt/lists/*Release 2>/dev/null | while IFS= read -r time; do date -d "$time" +%s; done'
  } | sort -n | tail -n 1
}

clean() {
  enter
  epoch >bake/epoch
  [ -s bake/epoch ] || date +%s >bake/epoch
  inside sh -c 'apt-get clean
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/dpkg/*-old /tmp/* /var/tmp/* /run/* /etc/.resolv.conf.systemd-resolved.bak /root/.bash_history /var/lib/systemd/random-seed
    find /var/log -type f -exec rm -f {} +
    if [ -e /etc/machine-id ]; then : >/etc/machine-id; fi
    rm -f /var/lib/dbus/machine-id'
  if [ -n "\${FS_UUID:-}" ]; then mounts | of_disk /etc/fstab; fi
  ssh_keys
}
# Keys of a host are made where it runs. A system that makes none by itself makes them before its server starts.
ssh_keys() {
  inside sh -c 'ls /etc/ssh/ssh_host_*' >/dev/null 2>&1 || return 0
  inside sh -c 'rm -f /etc/ssh/ssh_host_*; mkdir -p /etc/systemd/system/ssh.service.d; cat >/etc/systemd/system/ssh.service.d/host-keys.conf' <<'END'
[Service]
ExecStartPre=
ExecStartPre=/usr/bin/ssh-keygen -A
ExecStartPre=/usr/sbin/sshd -t
END
}
same_times() {
  find root -xdev -newermt "@$(cat bake/epoch)" -exec touch -h -d "@$(cat bake/epoch)" {} +
}

blob() { # file, media type: its descriptor
  digest=$(sha256sum "$1" | cut -d ' ' -f 1)
  bytes=$(stat -c %s "$1")
  mv "$1" "bake/oci/blobs/sha256/$digest"
  printf '{"mediaType":"%s","digest":"sha256:%s","size":%s}' "$2" "$digest" "$bytes"
}
# One layer, in the layout of the Open Container Initiative.
oci() {
  same_times
  rm -rf bake/oci
  mkdir -p bake/oci/blobs/sha256 out
  created=$(date -u -d "@$(cat bake/epoch)" +%Y-%m-%dT%H:%M:%SZ)
  # What is in /dev, /proc and /sys is made by whoever runs it.
  tar --sort=name --numeric-owner --xattrs '--xattrs-include=security.capability' '--xattrs-include=user.*' --format=posix --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime \\
    --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' -C root -cf bake/layer.tar .
  diff=$(sha256sum bake/layer.tar | cut -d ' ' -f 1)
  gzip -n bake/layer.tar
  layer=$(blob bake/layer.tar.gz application/vnd.oci.image.layer.v1.tar+gzip)
  printf '{"created":"%s","architecture":"%s","os":"linux","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["/bin/sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"%s","created_by":"Berth"}]}' "$created" "$ARCH" "$diff" "$created" >bake/config.json
  config=$(blob bake/config.json application/vnd.oci.image.config.v1+json)
  { printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s],"annotations":{"org.opencontainers.image.created":"%s",' "$config" "$layer" "$created"; cat bake/in/annotations; printf '}}'; } >bake/manifest.json
  manifest=$(blob bake/manifest.json application/vnd.oci.image.manifest.v1+json)
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s,"annotations":{"org.opencontainers.image.ref.name":"latest"},"platform":{"architecture":"%s","os":"linux"}}]}' "\${manifest%\\}}" "$ARCH" >bake/oci/index.json
  printf '{"imageLayoutVersion":"1.0.0"}' >bake/oci/oci-layout
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(cat bake/epoch)" -C bake/oci -cf out/image.oci.tar oci-layout index.json blobs
}

${DISK}
# A host becomes an image. What its login and its server of SSH need stays until then: the image takes it away when it starts
# elsewhere for the first time, before anybody can log in.
seal() {
  have systemctl || fail 'the host has no systemd, which readies what is started of its image: take another base image'
  if have apt-get; then apt-get clean; rm -rf /var/lib/apt/lists/*; elif have dnf; then dnf clean all; fi
  if have cloud-init; then cloud-init clean --logs; fi
  mkdir -p /usr/local/lib/berth
  cat bake/first-start.sh >/usr/local/lib/berth/first-start
  cat bake/first-start.service >/etc/systemd/system/berth-first-start.service
  { cat /sys/class/dmi/id/product_uuid 2>/dev/null || cat /proc/sys/kernel/random/boot_id; } >/usr/local/lib/berth/made-on
  # The folder of this lease is no part of what is started of it.
  printf '%s\\n' "$PWD" >/usr/local/lib/berth/made-in
  systemctl enable berth-first-start.service
  rm -f /root/.bash_history /home/*/.bash_history /var/lib/systemd/random-seed
  find /var/log -type f -name '*.gz' -exec rm -f {} +
  : >/etc/machine-id
  rm -f /var/lib/dbus/machine-id
  rm -rf bake
  sync
}

part=\${1#apart-}
if [ "$WHERE" = host ]; then host_root "$1"; elif [ "$part" = "$1" ]; then apart "$1"; fi
case $part in
  base | packages | boot | files | password | lock | sbom | clean | disk | oci | seal) "$part" ;;
  command) command_ ;;
  *) fail "bake.sh has no part $part" ;;
esac
`;
