import { role } from '../../libs/contracts/dist/index.js';
import { permissions, permissionsOf } from '../../services/console/dist/access/permissions.js';
import { markdown, page } from './markdown.mjs';

/** What each role may do. */
export function rolesPage() {
  const rows = Object.entries(permissions).map(([name, { reach, what }]) => [`\`${name}\``, ...role.options.map((one) => (permissionsOf(one, null).includes(name) ? 'yes' : '')), reach === 'projects' ? 'yes' : '', what]);
  return page([
    '# Roles and permissions',
    'Made from `services/console/src/access/permissions.ts` by `npm run generate`; do not edit. How to give them: [give-access.md](../how-to/give-access.md).',
    markdown(['permission', ...role.options, 'with projects', 'to'], rows),
    ROLE_NOTES,
  ]);
}

const ROLE_NOTES = `**With projects** says what a token of that role keeps when it has projects. It sees and touches only what acts for one of
them: lists leave out all else, and a single thing that acts for another project, or for none, is not there (404). Machines,
blueprints, plans and free slots act for nobody and are seen by all; who holds the other slots of a host is left out. One thing
is told all the same: why a request waits, and that may name who holds what it waits for.

**Whose things.** An operator or admin touches every lease and build (with projects: every one of them). A builder with projects touches what
acts for them; a builder without touches what is its own, where it is the owner of the lease or the initiator of the build.

**In whose name.** What a builder asks for has its own name as owner and initiator, and so has what it says in messages and
artifacts (\`by\`); another name is refused. With one project that is filled in; with several the request says which.
Operators and admins may name anybody.

**Hardware jobs** have a permission for each task. A token may be given some besides what its role may (\`jobs\`, \`berth token
create --jobs\`): a viewer's with \`reboot\` looks, asks for reboots, and does nothing else. Clients of Taskcluster have the
tasks of their scopes \`berth:jobs:TASK\`, and see jobs. To ask for a task is to be allowed to cancel it.

Everybody who is signed in may ask \`GET /api/v1/me\`, end the own session, and have a link made to sign in with as the same.
\`GET /healthz\`, \`POST /api/v1/session\` and \`/login/oidc\` need nobody to be signed in.`;
