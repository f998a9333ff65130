import { busUsers, permissions, type BusUser } from './permissions.js';

/**
 * The block of a server's configuration that says who may log in and do what.
 *
 * @param passwordOf what stands for the password of a user, as the server reads it: a quoted text, or a variable
 */
export function authorization(passwordOf: (user: BusUser) => string): string {
  return ['authorization {', '  users: [', ...busUsers.map((user) => entry(user, passwordOf(user))), '  ]', '}', ''].join('\n');
}

/** Who may come over WebSocket too: what runs in a browser is a frontend. */
const browsers: readonly BusUser[] = ['frontend'];

function entry(user: BusUser, password: string): string {
  const { publish, subscribe } = permissions[user];
  // An empty list of what is allowed allows everything, so nothing is said as a denial of all.
  const rights = (list: readonly string[]): string =>
    list.length === 0 ? '{ deny: ">" }' : `{\n          allow: [\n${list.map((subject) => `            ${JSON.stringify(subject)}`).join('\n')}\n          ]\n        }`;
  return `    {\n      user: ${JSON.stringify(user)}\n      password: ${password}\n      allowed_connection_types: [${browsers.includes(user) ? '"STANDARD", "WEBSOCKET"' : '"STANDARD"'}]\n      permissions: {\n        publish: ${rights(publish)}\n        subscribe: ${rights(subscribe)}\n      }\n    }`;
}

/** The environment variable that the password of a user is taken from in `permissions.conf`. */
export const passwordVariable = (user: BusUser): string => `BERTH_BUS_${user.replaceAll('-', '_').toUpperCase()}`;

/** `infra/nats/permissions.conf`: to be included by the configuration of a server of one's own. */
export const permissionsConf = (): string =>
  [
    '# The users of the bus and their rights. Made from infra/nats/src/permissions.ts by `npm run generate`; do not edit.',
    '# To be included by the configuration of a nats-server: docs/how-to/run-services-separately.md. The passwords, or their',
    "# bcrypt hashes, come from the server's environment, which must have all of them.",
    '',
    authorization((user) => `$${passwordVariable(user)}`),
  ].join('\n');
