import type { Kind, Role } from '@berth/contracts';

/** What the HTTP API says of who may do what. */

/** Whoever asks. */
export interface MeView {
  /** as the history says it: `token:NAME` or `user:EMAIL` */
  actor: string;
  name: string;
  role: Role;
  /** it sees and touches only what acts for one of these; null = all */
  projects: string[] | null;
  permissions: string[];
  /** when the session of a browser ends by itself; null when a token was shown */
  until: string | null;
}

/** A token; never its secret. */
export interface TokenView {
  name: string;
  role: Role;
  /** null = all */
  projects: string[] | null;
  state: 'live' | 'expired' | 'revoked';
  created: string;
  createdBy: string;
  /** null = never */
  expires: string | null;
  revoked: string | null;
  /** to the hour; null = never */
  lastUsed: string | null;
}

/** A token that was just made: the one time that its secret is shown. */
export interface NewToken {
  id: string;
  name: string;
  secret: string;
}

/** A link that signs in once. */
export interface SignInLink {
  url: string;
  until: string;
}

/** What somebody did, or was refused. */
export interface AuditEntry {
  /** position in BERTH_EVENTS */
  position: number;
  time: string;
  actor: string;
  /** `refused`: it was not done; `signed-in`: comings and goings; `did`: what was stored because of it */
  what: 'refused' | 'signed-in' | 'did';
  /** of what it concerns */
  kind: Kind;
  id: string;
  /** types of the events */
  events: string[];
  /** one sentence */
  detail: string | null;
}
