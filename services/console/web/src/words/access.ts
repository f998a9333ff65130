import type { AccessEvent, SecretEvent, TokenEvent, WebhookEvent } from '@berth/contracts';
import { because, time } from './text';
import type { Words } from './words';

export const tokenWords: Words<TokenEvent> = {
  TokenCreated: ({ role, projects, expires }) => `Made for ${role === 'admin' || role === 'operator' ? 'an' : 'a'} ${role}${projects ? ` of ${projects.join(', ')}` : ''}${expires === undefined ? '' : `, until ${time(expires)}`}.`,
  TokenUsed: ({ at }) => `Used at ${time(at)}.`,
  TokenRevoked: () => 'Opens nothing any more; its name is free.',
};

export const webhookWords: Words<WebhookEvent> = {
  WebhookSaved: ({ version, url, kinds, statuses }) => `Version ${version} is saved: ${statuses.length > 0 ? statuses.join(', ') : 'every status'} of ${kinds.length > 0 ? kinds.join(', ') : 'everything'} to ${url}.`,
  WebhookRemoved: () => 'Nothing more is sent there.',
  WebhookSuspended: ({ reason }) => `Nothing is sent until it is resumed${because(reason, ['suspended'])}.`,
  WebhookResumed: () => 'What waited is sent.',
  WebhookKeyRotated: ({ key, until }) => `Signed with key ${key}; until ${time(until)} with the one before too.`,
};

export const accessWords: Words<AccessEvent> = {
  LinkMade: ({ until }) => `A link was made that signs in once, until ${time(until)}.`,
  SignedIn: ({ by, role, until }) => `Signed in as ${role}, with a ${by === 'oidc' ? 'provider of OpenID Connect' : by}, until ${time(until)}.`,
  SignedOut: () => 'Signed out.',
  DeadLetterRetried: ({ letter, service, type, outcome }) => `Dead letter ${letter} was sent again, ${type} for ${service}: ${outcome}.`,
  DeadLetterDropped: ({ letter, service, type }) => `Dead letter ${letter} was dropped, ${type} for ${service}.`,
  AccessRefused: ({ asked, reason, count }) => `Turned away from ${asked}${count > 1 ? `, ${count} times` : ''}: ${reason}.`,
};

export const secretWords: Words<SecretEvent> = {
  SecretSet: ({ name }) => `The secret ${name} was set.`,
  SecretRemoved: ({ name }) => `The secret ${name} was removed.`,
  SecretReencrypted: ({ name }) => `The secret ${name} was encrypted under a new key.`,
};
