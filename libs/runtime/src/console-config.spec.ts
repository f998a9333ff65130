import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../../../test/support/cleanup.js';
import { ConfigError, httpSettings, readEnvironment } from './config.js';

const read = (env: Record<string, string>) => httpSettings(readEnvironment(env));
const oidc = { BERTH_OIDC_ISSUER: 'https://login.example', BERTH_OIDC_CLIENT_ID: 'berth', BERTH_OIDC_ROLES: 'berth-admins=admin, *=viewer' };

test('only this machine is listened to, until somebody says otherwise twice', () => {
  expect(read({})).toEqual({ httpHost: '127.0.0.1', rateLimit: 60_000, jobsOrigin: '*' });
  expect(read({ BERTH_HTTP_HOST: '::1' }).httpHost).toBe('::1');
  for (const host of ['0.0.0.0', '::', '10.0.0.7', '192.168.1.1']) {
    expect(() => read({ BERTH_HTTP_HOST: host })).toThrow(new ConfigError(`BERTH_HTTP_HOST ${host} is reached from other machines, and Berth speaks plain HTTP: tokens could be read on their way. Leave it on 127.0.0.1 behind a proxy with TLS (and set BERTH_PUBLIC_URL), or say that you mean it with BERTH_HTTP_EXPOSE=yes.`));
    expect(read({ BERTH_HTTP_HOST: host, BERTH_HTTP_EXPOSE: 'yes' }).httpHost).toBe(host);
  }
  expect(() => read({ BERTH_HTTP_HOST: 'somewhere' })).toThrow(/BERTH_HTTP_HOST: must be an IP address/);
  expect(() => read({ BERTH_RATE_LIMIT: '-1' })).toThrow(/BERTH_RATE_LIMIT: must not be negative/);
});

test('a provider is whole or not there', async () => {
  expect(read(oidc).oidc).toEqual({ issuer: 'https://login.example', clientId: 'berth', claim: 'groups', roles: [['berth-admins', 'admin'], ['*', 'viewer']] });
  const file = join(await tempFolder('oidc'), 'secret');
  await writeFile(file, 'hush\n');
  expect(read({ ...oidc, BERTH_OIDC_CLIENT_SECRET: `file:${file}`, BERTH_OIDC_ROLE_CLAIM: 'roles', BERTH_OIDC_PROJECTS_CLAIM: 'teams', BERTH_OIDC_NAME: 'Example' }).oidc).toMatchObject({ name: 'Example', clientSecret: 'hush', claim: 'roles', projects: 'teams' });
  expect(read({ ...oidc, BERTH_OIDC_CLIENT_SECRET: 'as it is' }).oidc).toMatchObject({ clientSecret: 'as it is' });
  expect(() => read({ ...oidc, BERTH_OIDC_CLIENT_SECRET: `file:${file}.none` })).toThrow(/BERTH_OIDC_CLIENT_SECRET names .* \(ENOENT\): correct the path/);
  expect(() => read({ ...oidc, BERTH_OIDC_NAME: 'x'.repeat(61) })).toThrow('BERTH_OIDC_NAME: must have at most 60 characters');
  expect(() => read({ BERTH_OIDC_ISSUER: 'https://login.example' })).toThrow('BERTH_OIDC_ISSUER is set, but BERTH_OIDC_CLIENT_ID and BERTH_OIDC_ROLES are not: set them');
  expect(() => read({ ...oidc, BERTH_OIDC_ISSUER: 'http://login.example' })).toThrow('must be an https URL');
  expect(read({ ...oidc, BERTH_OIDC_ISSUER: 'http://127.0.0.1:9000' }).oidc).toBeDefined();
  expect(() => read({ ...oidc, BERTH_OIDC_ROLES: 'staff=king' })).toThrow(/BERTH_OIDC_ROLES: must be VALUE=ROLE.*viewer, builder, operator, admin/);
});

test('whose pages may ask for hardware jobs, and whose credentials are relayed', () => {
  expect(read({ BERTH_JOBS_ORIGIN: 'https://ci.example', BERTH_TASKCLUSTER_ROOT: 'https://tc.example/' })).toMatchObject({ jobsOrigin: 'https://ci.example', taskclusterRoot: 'https://tc.example' });
  for (const origin of ['ci.example', 'https://ci.example/', 'https://ci.example/page', 'https://a.example,https://b.example', 'null']) expect(() => read({ BERTH_JOBS_ORIGIN: origin })).toThrow(/BERTH_JOBS_ORIGIN: must be an origin such as https:\/\/ci.example/);
  expect(() => read({ BERTH_TASKCLUSTER_ROOT: 'tc.example' })).toThrow(/BERTH_TASKCLUSTER_ROOT: must be the root URL/);
});
