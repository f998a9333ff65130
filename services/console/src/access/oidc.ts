import { allowInsecureRequests, authorizationCodeGrant, buildAuthorizationUrl, calculatePKCECodeChallenge, discovery, fetchUserInfo, None, randomNonce, randomPKCECodeVerifier, randomState, type Configuration } from 'openid-client';
import { z } from 'zod';
import type { OidcSetting } from '@berth/runtime';
import { HttpProblem } from '../http/problem.js';
import type { Seal } from './seal.js';
import { cookieOf, type SignIns, type Subject } from './sign-ins.js';

const PURPOSE = 'oidc';
const COOKIE = 'berth-oidc';
export const BEGIN = '/login/oidc';
export const CALLBACK = `${BEGIN}/callback`;
/** How long somebody may take at the provider. */
const AWAY_MS = 600_000;
/** It is asked anew for its addresses and keys' place after so long. */
const DISCOVERY_MS = 3_600_000;

type Claims = Readonly<Record<string, unknown>>;

const sealed = z.object({ verifier: z.string(), state: z.string(), nonce: z.string(), until: z.number() });

/** Signing in with a provider of OpenID Connect: authorization code, with PKCE, state and nonce. */
export class Oidc {
  private found: { configuration: Promise<Configuration>; at: number } | undefined;

  constructor(
    private readonly setting: OidcSetting,
    private readonly seal: Seal,
    private readonly signIns: Pick<SignIns, 'url' | 'secure'>,
  ) {}

  /** As people know the provider. */
  get name(): string {
    return this.setting.name ?? new URL(this.setting.issuer).host;
  }

  /** Where a browser goes to sign in, and the cookie by which it is known when it comes back. */
  async begin(): Promise<{ url: string; cookie: string }> {
    const configuration = await this.provider();
    const [verifier, state, nonce] = [randomPKCECodeVerifier(), randomState(), randomNonce()];
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: `${this.signIns.url}${CALLBACK}`,
      scope: 'openid email profile',
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    return { url: url.href, cookie: this.cookie(this.seal.close({ verifier, state, nonce, until: Date.now() + AWAY_MS }, PURPOSE), AWAY_MS / 1000) };
  }

  /**
   * Who came back.
   * @param query of the address it came back to
   * @throws {HttpProblem} it is not who began, or the provider says no, or says too little
   */
  async finish(query: string, cookies: string | undefined): Promise<Subject & { of: 'user' }> {
    const text = cookieOf(cookies, COOKIE);
    const begun = sealed.safeParse(text === undefined ? undefined : this.seal.open(text, PURPOSE));
    if (!begun.success || begun.data.until < Date.now()) throw new HttpProblem('unauthorized', `This browser did not begin to sign in, or too long ago: begin again at ${BEGIN}.`);
    const { verifier, state, nonce } = begun.data;
    const configuration = await this.provider();
    let claims: Claims;
    try {
      const answer = await authorizationCodeGrant(configuration, new URL(`${this.signIns.url}${CALLBACK}${query}`), { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
      claims = await this.claimsOf(configuration, answer.access_token, answer.claims());
    } catch (error) {
      if (isOutage(error)) throw away(this.setting.issuer, error);
      throw new HttpProblem('unauthorized', `The provider did not sign you in: ${reasonOf(error)}.`);
    }
    return this.userOf(claims);
  }

  /** The cookie that takes away what was kept for coming back. */
  get done(): string {
    return this.cookie('', 0);
  }

  /** What the provider says of somebody: in the ID token, and where that says too little, when it is asked. */
  private async claimsOf(configuration: Configuration, token: string, claims: (Claims & { sub: string }) | undefined): Promise<Claims> {
    const wanted = ['email', this.setting.claim, ...(this.setting.projects === undefined ? [] : [this.setting.projects])];
    if (!claims || wanted.every((claim) => claims[claim] !== undefined) || configuration.serverMetadata().userinfo_endpoint === undefined) return claims ?? {};
    return { ...(await fetchUserInfo(configuration, token, claims.sub)), ...claims };
  }

  private userOf(claims: Claims): Subject & { of: 'user' } {
    const { claim, roles, projects: projectsClaim } = this.setting;
    const email = claims['email'];
    // Else anybody could take anybody's name who may write it into a profile.
    if (typeof email !== 'string' || !email.includes('@') || email.length > 120 || /[\p{Cc}\s]/u.test(email) || claims['email_verified'] === false) {
      throw new HttpProblem('forbidden', 'The provider says no verified e-mail address of yours: Berth knows people by it.');
    }
    const values = listOf(claims[claim]);
    const match = roles.find(([value]) => value === '*' || values.includes(value));
    if (!match) throw new HttpProblem('forbidden', `None of your ${claim} has a role in Berth: whoever runs it says which do in BERTH_OIDC_ROLES.`);
    const projects = projectsClaim === undefined ? null : listOf(claims[projectsClaim]);
    if (projects?.length === 0) throw new HttpProblem('forbidden', `The provider names no project of yours (${projectsClaim}): you would see nothing.`);
    return { of: 'user', email: email.toLowerCase(), role: match[1], projects };
  }

  private async provider(): Promise<Configuration> {
    if (!this.found || Date.now() - this.found.at > DISCOVERY_MS) this.found = { configuration: this.discover(), at: Date.now() };
    try {
      return await this.found.configuration;
    } catch (error) {
      this.found = undefined; // the next one asks again
      throw away(this.setting.issuer, error);
    }
  }

  private discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = this.setting;
    const plain = new URL(issuer).protocol === 'http:'; // on loopback: any other is refused at the start
    return discovery(new URL(issuer), clientId, clientSecret, clientSecret === undefined ? None() : undefined, plain ? { execute: [allowInsecureRequests] } : {});
  }

  /** Lax: it is sent when the provider sends the browser back. */
  private cookie(value: string, seconds: number): string {
    return `${COOKIE}=${value}; Path=${BEGIN}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${this.signIns.secure}`;
  }
}

const listOf = (claim: unknown): string[] => (typeof claim === 'string' ? [claim] : Array.isArray(claim) ? claim.filter((one) => typeof one === 'string') : []);
const reasonOf = (error: unknown): string => {
  const { error: code, error_description: text, message } = error as { error?: string; error_description?: string; message?: string };
  return String(text ?? code ?? message ?? 'it gave no reason').slice(0, 200).replace(/[.\s]+$/, '');
};
/** It did not answer, or not as a provider does: that is nobody's fault here. */
const isOutage = (error: unknown): boolean => error instanceof TypeError || (error as { name?: string }).name === 'TimeoutError' || ((error as { status?: number }).status ?? 0) >= 500;
const away = (issuer: string, cause: unknown): HttpProblem => Object.assign(new HttpProblem('unavailable', `The provider at ${issuer} does not answer as one (${reasonOf(cause)}): try again in a moment, or sign in with a token.`), { cause });
