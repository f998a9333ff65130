import { derivedId, rejected, unreachable, type Refusal, type SecretEvent } from '@berth/contracts';

/** The id of a secret's events: names may have dots, which a part of a subject can't. */
export const secretId = (name: string): string => derivedId(name, 'secret');

/** A secret, as far as events know it: whether it is there, never what it is. */
export type Secret = { status: 'none' } | { status: 'set'; name: string };

export type SecretCommand = { type: 'Set'; name: string } | { type: 'Remove'; name: string } | { type: 'Reencrypt'; name: string };

/** Pure. */
export function decide(command: SecretCommand, secret: Secret): readonly SecretEvent[] | Refusal {
  const { name } = command;
  switch (command.type) {
    case 'Set':
      return [{ type: 'SecretSet', data: { name } }];
    case 'Remove':
      return secret.status === 'set' ? [{ type: 'SecretRemoved', data: { name } }] : unknownSecret(name);
    case 'Reencrypt':
      return secret.status === 'set' ? [{ type: 'SecretReencrypted', data: { name } }] : [];
    default:
      return unreachable(command);
  }
}

const unknownSecret = (name: string): Refusal => rejected('unknown-secret', `There is no secret ${name}.`, [{ field: 'data.name', message: 'is none of those that `berth secret list` shows' }]);

/** Pure. */
export function evolve(_: Secret, event: SecretEvent): Secret {
  switch (event.type) {
    case 'SecretSet':
    case 'SecretReencrypted':
      return { status: 'set', name: event.data.name };
    case 'SecretRemoved':
      return { status: 'none' };
    default:
      return unreachable(event);
  }
}

export const secretDecider = { initial: { status: 'none' } as Secret, decide, evolve, ended: (): boolean => false };
