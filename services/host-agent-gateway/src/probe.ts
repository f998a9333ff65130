import { connect } from './transports/connect.js';
import { HostError } from './transports/errors.js';
import type { HostSpec } from './transports/transport.js';

/** What a host says of itself: os, arch, cpus, memory (MiB) and which tools it has. One line each, `name=value`. */
const FACTS = `
case "$(uname -s)" in Linux) echo os=linux;; Darwin) echo os=mac;; *) echo os=other;; esac
echo "arch=$(uname -m)"
echo "cpus=$(getconf _NPROCESSORS_ONLN 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null)"
if [ -r /proc/meminfo ]; then while read -r key kib _; do [ "$key" = MemTotal: ] && echo "memoryMiB=$((kib / 1024))"; done </proc/meminfo; fi
for tool in git node docker python3 make gcc; do command -v "$tool" >/dev/null 2>&1 && echo "$tool=yes"; done
exit 0
`;

/**
 * Connects, asks, and closes.
 * @throws HostError when the host can't be reached, doesn't let us in, shows another key, or isn't a POSIX system
 */
export async function probeHost(host: HostSpec): Promise<{ hostKey: string; facts: Record<string, string> }> {
  const transport = await connect(host);
  try {
    const { code, stdout, stderr } = await transport.exec(`sh -c '${FACTS.replaceAll("'", "'\\''")}'`);
    const facts = Object.fromEntries(
      stdout
        .toString('utf8')
        .split('\n')
        .flatMap((line) => (/^[A-Za-z]\w*=\S+$/.test(line) ? [line.split('=', 2) as [string, string]] : [])),
    );
    if (code !== 0 || !facts['os']) throw new HostError('host-fault', `Host ${host.id} did not answer as a POSIX system does (exit code ${code}${stderr.length ? `: ${stderr.toString('utf8').trim()}` : ''}).`);
    return { hostKey: transport.hostKey ?? '', facts };
  } finally {
    await transport.close();
  }
}
