import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider as OidcProvider, type Configuration } from 'oidc-provider';
import { atEndOfFile } from './cleanup.js';

/** Berth, as the provider knows it. */
export const CLIENT = { id: 'berth', secret: 'a-secret-of-the-client' } as const;

/** A provider of OpenID Connect, as people would run one; whoever is named in its form is who signs in. */
export interface Provider {
  issuer: string;
  /**
   * Lets a client be sent back to an address, which is known only once that listens.
   * @param conform the ID token says who alone, and all else is asked for
   */
  serve(redirect: string, conform?: boolean): void;
}

/** Starts it; it ends with the test file. @param people their claims, by their login */
export async function startProvider(people: Readonly<Record<string, Record<string, unknown>>>): Promise<Provider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  atEndOfFile(() => new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  }));
  return {
    issuer,
    serve(redirect, conform = false) {
      const configuration: Configuration = {
        clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, grant_types: ['authorization_code'], response_types: ['code'], redirect_uris: [redirect] }],
        claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups', 'teams'] },
        conformIdTokenClaims: conform,
        findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
        pkce: { required: () => true },
        cookies: { keys: ['spec'] },
        features: { devInteractions: { enabled: true } },
        ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
      };
      server.removeAllListeners('request');
      const callback = new OidcProvider(issuer, configuration).callback();
      server.on('request', (request, response) => void callback(request, response));
    },
  };
}
