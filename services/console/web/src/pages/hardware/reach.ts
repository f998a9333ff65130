import type { HardwareView } from '@berth/client';

/** How one management interface is reached, as a row of a table. */
export interface Reach {
  kind: string;
  at: string;
  user: string;
  /** name of the secret, or the reference of a key; never what it stands for */
  secret: string;
  rest: string;
}

const shown = (value: unknown): string => (typeof value === 'object' && value !== null ? Object.entries(value).map(([key, one]) => `${key} ${String(one)}`).join(' ') : String(value));

/** All of a machine. */
export function reachOf({ interfaces, address: own }: Pick<HardwareView, 'interfaces' | 'address'>): Reach[] {
  return Object.entries(interfaces).map(([kind, said]) => {
    const { url, address = own, port, user = '', password, community, credential, ...rest } = said as Readonly<Record<string, unknown>>;
    return {
      kind,
      at: String(url ?? `${String(address)}${port === undefined ? '' : `:${String(port)}`}`),
      user: String(user),
      secret: String(password ?? community ?? credential ?? ''),
      rest: Object.entries(rest).map(([key, value]) => `${key}=${shown(value)}`).join(', '),
    };
  });
}
