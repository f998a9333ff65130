import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { role, type Role } from '@berth/contracts';

/** A provider of OpenID Connect whose users may sign in. */
export interface OidcSetting {
  issuer: string;
  /** as people know it; its host when absent */
  name?: string;
  clientId: string;
  /** absent: a public client, which PKCE alone protects */
  clientSecret?: string;
  /** the claim that says what somebody may do */
  claim: string;
  /** what each value of it means, the first that fits before the others; `*` fits everybody */
  roles: readonly (readonly [value: string, role: Role])[];
  /** the claim that says for which projects; absent = for all */
  projects?: string;
}

/** What the console alone is told. */
export interface ConsoleConfig {
  /** address it listens on; loopback when absent */
  httpHost?: string;
  /** requests a minute of each who asks; 0 = no limit */
  rateLimit?: number;
  oidc?: OidcSetting;
  /** whose pages may ask for hardware jobs: an origin, or `*`; `*` when absent */
  jobsOrigin?: string;
  /** deployment of Taskcluster whose credentials are relayed to it, without a slash at its end; none when absent */
  taskclusterRoot?: string;
}

export const DEFAULT_RATE_LIMIT = 60_000;
const loopback = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|localhost)$/;
/** Whether only this machine reaches an address. */
export const isLoopback = (host: string): boolean => loopback.test(host);

const mapping = z.string().transform((text, context): [string, Role][] =>
  text.split(',').flatMap((part) => {
    const at = part.lastIndexOf('=');
    const parsed = role.safeParse(part.slice(at + 1).trim());
    if (at > 0 && parsed.success) return [[part.slice(0, at).trim(), parsed.data]];
    context.addIssue({ code: 'custom', message: `must be VALUE=ROLE, with commas between several, such as berth-admins=admin,*=viewer; roles are ${role.options.join(', ')}` });
    return [];
  }),
);

/** What of the environment is for the console. */
export const consoleEnvironment = {
  BERTH_HTTP_HOST: z.string().refine((text) => isLoopback(text) || isIP(text) !== 0, 'must be an IP address such as 127.0.0.1').default('127.0.0.1'),
  BERTH_HTTP_EXPOSE: z.enum(['yes', 'no']).default('no'),
  BERTH_RATE_LIMIT: z.coerce.number('must be a number of requests a minute').int('must be a whole number').min(0, 'must not be negative').default(DEFAULT_RATE_LIMIT),
  BERTH_OIDC_ISSUER: z.url({ protocol: /^https?$/, error: 'must be the URL of the provider, such as https://login.example' }).optional(),
  BERTH_OIDC_NAME: z.string().max(60, 'must have at most 60 characters').optional(),
  BERTH_OIDC_CLIENT_ID: z.string().optional(),
  BERTH_OIDC_CLIENT_SECRET: z.string().optional(),
  BERTH_OIDC_ROLE_CLAIM: z.string().default('groups'),
  BERTH_OIDC_ROLES: mapping.optional(),
  BERTH_OIDC_PROJECTS_CLAIM: z.string().optional(),
  BERTH_JOBS_ORIGIN: z.string().refine((text) => text === '*' || (URL.canParse(text) && /^https?:\/\//.test(text) && new URL(text).origin === text), 'must be an origin such as https://ci.example, without a path, or *').default('*'),
  BERTH_TASKCLUSTER_ROOT: z.url({ protocol: /^https?$/, error: 'must be the root URL of a deployment of Taskcluster, such as https://tc.example' }).optional(),
} as const;

type Environment = z.output<z.ZodObject<typeof consoleEnvironment>>;

/**
 * What the console is given of the environment.
 * @throws Error with one sentence, for what may not be or does not fit together
 */
export function consoleSettings(env: Environment): ConsoleConfig {
  const { BERTH_HTTP_HOST: httpHost } = env;
  if (!isLoopback(httpHost) && env.BERTH_HTTP_EXPOSE !== 'yes') {
    throw new Error(`BERTH_HTTP_HOST ${httpHost} is reached from other machines, and Berth speaks plain HTTP: tokens could be read on their way. Leave it on 127.0.0.1 behind a proxy with TLS (and set BERTH_PUBLIC_URL), or say that you mean it with BERTH_HTTP_EXPOSE=yes.`);
  }
  const oidc = oidcSetting(env);
  const { BERTH_TASKCLUSTER_ROOT: root } = env;
  return { httpHost, rateLimit: env.BERTH_RATE_LIMIT, jobsOrigin: env.BERTH_JOBS_ORIGIN, ...(oidc && { oidc }), ...(root !== undefined && { taskclusterRoot: root.replace(/\/+$/, '') }) };
}

function oidcSetting(env: Environment): OidcSetting | undefined {
  const { BERTH_OIDC_ISSUER: issuer, BERTH_OIDC_CLIENT_ID: clientId, BERTH_OIDC_ROLES: roles } = env;
  if (issuer === undefined) return undefined;
  const missing = [...(clientId === undefined ? ['BERTH_OIDC_CLIENT_ID'] : []), ...(roles === undefined ? ['BERTH_OIDC_ROLES'] : [])];
  if (clientId === undefined || roles === undefined) throw new Error(`BERTH_OIDC_ISSUER is set, but ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not: set ${missing.length > 1 ? 'them' : 'it'}, or nobody could sign in.`);
  const { protocol, hostname } = new URL(issuer);
  if (protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, ''))) throw new Error('BERTH_OIDC_ISSUER must be an https URL: over plain HTTP anybody on the way could sign in as anybody.');
  const secret = env.BERTH_OIDC_CLIENT_SECRET === undefined ? undefined : secretOf(env.BERTH_OIDC_CLIENT_SECRET);
  return { issuer, clientId, claim: env.BERTH_OIDC_ROLE_CLAIM, roles, ...(env.BERTH_OIDC_NAME !== undefined && { name: env.BERTH_OIDC_NAME }), ...(secret !== undefined && { clientSecret: secret }), ...(env.BERTH_OIDC_PROJECTS_CLAIM !== undefined && { projects: env.BERTH_OIDC_PROJECTS_CLAIM }) };
}

/** A secret as it is, or `file:PATH`. */
function secretOf(text: string): string {
  if (!text.startsWith('file:')) return text;
  const path = text.slice('file:'.length);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new Error(`BERTH_OIDC_CLIENT_SECRET names ${path}, which can't be read (${(error as NodeJS.ErrnoException).code}): correct the path, or let the user who runs Berth read it.`, { cause: error });
  }
}
