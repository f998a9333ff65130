import { rejected, unreachable, type Refusal, type TokenEvent } from '@berth/contracts';

type Created = Extract<TokenEvent, { type: 'TokenCreated' }>['data'];

/** A token, by its name. */
export type Token =
  | { status: 'none' }
  /** it opens the HTTP API, unless its time is up; `used`: when it was last said to be */
  | { status: 'live'; token: Created; used?: string }
  | { status: 'revoked'; token: Created; used?: string };

/** Times are RFC 3339. */
export type TokenCommand =
  | { type: 'Create'; name: string; token: Created; now: string }
  | { type: 'Use'; id: string; now: string }
  | { type: 'Revoke'; name: string };

/** Of a token in use it is stored once in so long that it is: events are kept for ever. */
const USED_EVERY_MS = 3_600_000;
/** What the token of the installation itself is called in the history. */
export const BUILT_IN = 'admin';

const isLater = (a: string, b: string): boolean => Date.parse(a) > Date.parse(b);
/** Whether a token opens anything at a time. */
export const isOpen = (state: Token, now: string): state is Extract<Token, { status: 'live' }> =>
  state.status === 'live' && (state.token.expires === undefined || isLater(state.token.expires, now));

const nameTaken = (message: string): Refusal => rejected('name-taken', 'The token is not made: its name is taken.', [{ field: 'data.name', message }]);

/** Pure. */
export function decide(command: TokenCommand, state: Token): readonly TokenEvent[] | Refusal {
  switch (command.type) {
    case 'Create':
      if (state.status !== 'none' && state.token.id === command.token.id) return [];
      if (command.name === BUILT_IN) return nameTaken('is that of the installation itself: choose another name');
      if (isOpen(state, command.now)) return nameTaken(`is taken by another token: choose another name, or revoke that one first (berth token revoke ${command.name})`);
      if (command.token.expires !== undefined && !isLater(command.token.expires, command.now)) return rejected('invalid-data', 'The token is not made: expires is in the past.', [{ field: 'data.expires', message: 'must be in the future' }]);
      return [{ type: 'TokenCreated', data: command.token }];
    case 'Use':
      // Another one has its name by now, or it ended a moment ago: there is nothing to note.
      if (state.status !== 'live' || state.token.id !== command.id) return [];
      return state.used !== undefined && Date.parse(command.now) - Date.parse(state.used) < USED_EVERY_MS ? [] : [{ type: 'TokenUsed', data: { at: command.now } }];
    case 'Revoke':
      if (state.status === 'none') return rejected('unknown-token', `There is no token ${command.name}.`, [{ field: 'data.token', message: 'is not the name of a token: see `berth token list`' }]);
      return state.status === 'revoked' ? [] : [{ type: 'TokenRevoked', data: {} }];
    default:
      return unreachable(command);
  }
}

/** Pure. */
export function evolve(state: Token, event: TokenEvent): Token {
  switch (event.type) {
    case 'TokenCreated':
      return { status: 'live', token: event.data };
    case 'TokenUsed':
      if (state.status === 'none') throw new Error('a token that was never made was used');
      return { ...state, used: event.data.at };
    case 'TokenRevoked':
      if (state.status === 'none') throw new Error('a token that was never made was revoked');
      return { ...state, status: 'revoked' };
    default:
      return unreachable(event);
  }
}

/** A name may be used again after its token was revoked, so a token never ends for good. */
export const tokenDecider = { initial: { status: 'none' } as Token, decide, evolve, ended: () => false };
