import { platformOf } from '../platforms/platform.js';
import type { HostSpec } from '../transports/transport.js';

interface About {
  /** The last lines that it printed. */
  tail: string;
  full: boolean;
  host: Pick<HostSpec, 'id' | 'folder' | 'platform'>;
}

/** The sentence of a command that ended otherwise than with 0, and what to do where that is known. */
export function exitText(code: number, about: About): string {
  const why = [platformOf(about.host).meaning(code), room(about)].filter((part) => part !== undefined);
  return [`exit code ${code}`, ...why].join(why.length > 0 ? ': ' : '');
}

function room({ tail, full, host }: About): string | undefined {
  if (full) return `host ${host.id} could not keep all that it printed; see that the disk of ${host.folder}/actions there has room left`;
  if (/no space left on device|ENOSPC|not enough space on the disk/i.test(tail)) return `a disk of host ${host.id} was full; free some room there or ask for a host with more`;
  return undefined;
}
