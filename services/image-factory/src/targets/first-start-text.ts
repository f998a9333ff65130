/** What an image of a host does when it is started for the first time, elsewhere than on the host that it was made of. */
export const FIRST_START = `set -eu
kept=/usr/local/lib/berth
here=$(cat /sys/class/dmi/id/product_uuid 2>/dev/null || echo -)
# The host itself, started again while its image is made: its login stays as it is.
if [ "$here" = "$(cat "$kept/made-on")" ]; then exit 0; fi
rm -f /etc/ssh/ssh_host_*
for home in /root /home/*; do rm -f "$home/.ssh/authorized_keys" "$home/.bash_history"; done
made=$(cat "$kept/made-in")
case $made in */copies/*) rm -rf -- "$made" ;; esac
ssh-keygen -A
systemctl disable berth-first-start.service
rm -rf "$kept" /etc/systemd/system/berth-first-start.service
`;

export const FIRST_START_UNIT = `[Unit]
Description=Makes an image that Berth has made a host of its own
DefaultDependencies=no
After=local-fs.target
Before=cloud-init-local.service cloud-init.service ssh.service ssh.socket sshd.service sshd.socket network-pre.target
ConditionPathExists=/usr/local/lib/berth/first-start

[Service]
Type=oneshot
ExecStart=/bin/sh /usr/local/lib/berth/first-start

[Install]
WantedBy=sysinit.target
`;
