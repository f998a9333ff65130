import { describe, expect, test } from 'vitest';
import { webhookCommands } from '@berth/contracts';
import { decide, evolve, webhookDecider, type Webhook, type WebhookCommand, type WebhookEvent } from './webhook.js';

const spec = (over: object = {}) => ({ url: 'https://ci.example/hook', kinds: [], statuses: [], ...over });
const save = (over: object = {}, others = 0): WebhookCommand => ({ type: 'Save', spec: spec(over), others });

function run(...commands: WebhookCommand[]) {
  let state: Webhook = webhookDecider.initial;
  const events: WebhookEvent[] = [];
  let refusal: string | undefined;
  for (const command of commands) {
    const decision = decide(command, state);
    if ('accepted' in decision) refusal = `${decision.code}: ${decision.message}`;
    else {
      events.push(...decision);
      state = decision.reduce(evolve, state);
    }
  }
  return { state, types: events.map(({ type }) => type), events, refusal };
}

describe('a webhook', () => {
  test('is saved in versions; the same again is none', () => {
    expect(run(save(), save(), save({ kinds: ['build'] })).events).toEqual([
      { type: 'WebhookSaved', data: { ...spec(), version: 1 } },
      { type: 'WebhookSaved', data: { ...spec({ kinds: ['build'] }), version: 2 } },
    ]);
  });

  test('that comes again after it was removed has another key and the next version', () => {
    expect(run(save()).state).toMatchObject({ version: 1, key: 1 });
    expect(run(save(), { type: 'RotateKey', until: '2030-01-02T00:00:00.000Z' }, { type: 'Remove' }, save()).state).toMatchObject({ status: 'active', version: 2, key: 3 });
  });

  test('is signed with the key before too until a new one is old enough', () => {
    expect(run(save(), { type: 'RotateKey', until: '2030-01-02T00:00:00.000Z' }).state).toMatchObject({ key: 2, overlap: { key: 1, until: '2030-01-02T00:00:00.000Z' } });
  });

  // Every state with every command, exactly.
  const states: Record<string, WebhookCommand[]> = { none: [], removed: [save(), { type: 'Remove' }], active: [save()], suspended: [save(), { type: 'Suspend', reason: 'r' }] };
  test.each([
    ['none', save(), ['WebhookSaved']], ['none', { type: 'Remove' }, 'unknown-webhook'], ['none', { type: 'Suspend', reason: 'r' }, 'unknown-webhook'], ['none', { type: 'Resume' }, 'unknown-webhook'], ['none', { type: 'RotateKey', until: '2030-01-02T00:00:00.000Z' }, 'unknown-webhook'],
    ['removed', save(), ['WebhookSaved']], ['removed', { type: 'Remove' }, []], ['removed', { type: 'Suspend', reason: 'r' }, 'unknown-webhook'], ['removed', { type: 'Resume' }, 'unknown-webhook'], ['removed', { type: 'RotateKey', until: '2030-01-02T00:00:00.000Z' }, 'unknown-webhook'],
    ['active', save(), []], ['active', { type: 'Remove' }, ['WebhookRemoved']], ['active', { type: 'Suspend', reason: 'r' }, ['WebhookSuspended']], ['active', { type: 'Resume' }, []], ['active', { type: 'RotateKey', until: '2030-01-02T00:00:00.000Z' }, ['WebhookKeyRotated']],
    ['suspended', save(), []], ['suspended', { type: 'Remove' }, ['WebhookRemoved']], ['suspended', { type: 'Suspend', reason: 'r' }, []], ['suspended', { type: 'Resume' }, ['WebhookResumed']], ['suspended', { type: 'RotateKey', until: '2030-01-02T00:00:00.000Z' }, ['WebhookKeyRotated']],
  ] as const)('%s and %o', (state, command, then) => {
    const before = run(...states[state]!);
    const { types, refusal } = run(...states[state]!, command as WebhookCommand);
    if (typeof then === 'string') expect(refusal).toMatch(new RegExp(`^${then}: `));
    else expect(types.slice(before.types.length)).toEqual(then);
  });

  test('one too many is refused; one that is there can be changed all the same', () => {
    expect(run(save({}, 100)).refusal).toBe('limit-in-use: The webhook is not saved: there are 100 already, which is the most.');
    expect(run(save(), save({ url: 'http://x.example/' }, 100)).types).toEqual(['WebhookSaved', 'WebhookSaved']);
  });

  test('stays suspended when it is changed', () => expect(run(save(), { type: 'Suspend', reason: 'r' }, save({ kinds: ['lease'] })).state).toMatchObject({ status: 'suspended', reason: 'r', version: 2 }));
});

test.each([
  ['ftp://x.example/', 'use a URL that begins with http:// or https://'],
  ['not a url', 'use a URL that begins with http:// or https://'],
  ['https://user:word@x.example/', 'must not hold a user or a password: what is sent is signed instead'],
  ['https://x.example/#part', 'must not have a part after "#": it is never sent'],
])('%s is refused: %s', (url, message) => {
  expect(webhookCommands.SaveWebhook.safeParse({ name: 'x', url }).error?.issues.map((issue) => issue.message)).toEqual([message]);
});
