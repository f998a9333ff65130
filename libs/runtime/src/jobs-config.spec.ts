import { describe, expect, test } from 'vitest';
import { actionSettings, ConfigError, readEnvironment } from './config.js';

const settings = (env: Record<string, string>) => {
  const { tickets, mail, chat, irc } = actionSettings(readEnvironment(env));
  return { ...(tickets && { tickets }), ...(mail && { mail }), ...(chat && { chat }), ...(irc && { irc }) };
};

test('nobody is told of anything unless it is said', () => expect(settings({})).toEqual({}));

describe('where tickets go', () => {
  test.each([
    ['bugzilla+https://bugs.example/?product=Ops&component=Hardware', { kind: 'bugzilla', url: 'https://bugs.example', product: 'Ops', component: 'Hardware', version: 'unspecified', machines: { product: 'Ops', component: 'Hardware' }, secret: 'k' }],
    ['bugzilla+https://bugs.example:8443/zilla/?product=Ops%20%26%20Infra&component=C&machines=Inventory/Build%20machines&version=1&type=task', { kind: 'bugzilla', url: 'https://bugs.example:8443/zilla', product: 'Ops & Infra', component: 'C', version: '1', type: 'task', machines: { product: 'Inventory', component: 'Build machines' }, secret: 'k' }],
    ['bugzilla+http://127.0.0.1:80/?product=P&component=C', { kind: 'bugzilla', url: 'http://127.0.0.1', product: 'P', component: 'C', version: 'unspecified', machines: { product: 'P', component: 'C' }, secret: 'k' }],
    ['webhook+https://tickets.example/berth?team=ops', { kind: 'webhook', url: 'https://tickets.example/berth?team=ops', secret: 'k' }],
  ])('%s', (text, tickets) => expect(settings({ BERTH_TICKETS: text, BERTH_TICKETS_SECRET: 'k' })).toEqual({ tickets }));

  test.each([
    ['https://bugs.example', /BERTH_TICKETS: must be bugzilla\+https/],
    ['jira+https://bugs.example', /BERTH_TICKETS: must be bugzilla\+https/],
    ['bugzilla+https://bugs.example/?product=P', /BERTH_TICKETS: .*it lacks component/],
    ['bugzilla+https://bugs.example/?product=P&component=C&prodcut=X', /BERTH_TICKETS: says prodcut/],
    ['bugzilla+https://bugs.example/?product=P&component=C&machines=X', /machines=PRODUCT\/COMPONENT/],
    ['bugzilla+http://bugs.example/?product=P&component=C', /must be https: over plain HTTP/],
    ['webhook+https://me:hush@tickets.example/', /must not hold a password: name a secret instead/],
  ])('refused: %s', (text, why) => {
    const read = () => settings({ BERTH_TICKETS: text, BERTH_TICKETS_SECRET: 'k' });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(why);
    expect(read).not.toThrow(/hush/);
  });
});

describe('where mail goes', () => {
  test.each([
    ['smtp://berth@mail.example:2525', { host: 'mail.example', port: 2525, secure: false, from: 'berth@example.com', login: { user: 'berth', secret: 'p' } }],
    ['smtps://berth%40example.com@mail.example', { host: 'mail.example', port: 465, secure: true, from: 'berth@example.com', login: { user: 'berth@example.com', secret: 'p' } }],
    ['smtp://berth@[::1]', { host: '::1', port: 587, secure: false, from: 'berth@example.com', login: { user: 'berth', secret: 'p' } }],
  ])('%s', (text, mail) => expect(settings({ BERTH_SMTP: text, BERTH_SMTP_SECRET: 'p', BERTH_MAIL_FROM: 'berth@example.com' })).toEqual({ mail }));
  test('without a login', () => expect(settings({ BERTH_SMTP: 'smtp://relay.example:25', BERTH_MAIL_FROM: 'berth@example.com' })).toEqual({ mail: { host: 'relay.example', port: 25, secure: false, from: 'berth@example.com' } }));
  test.each(['mail.example', 'http://mail.example', 'smtp://a:hush@mail.example', 'smtp://mail.example/path', 'smtp://'])('refused: %s', (text) => {
    expect(() => settings({ BERTH_SMTP: text, BERTH_MAIL_FROM: 'berth@example.com' })).toThrow(/BERTH_SMTP: must/);
    expect(() => settings({ BERTH_SMTP: text, BERTH_MAIL_FROM: 'berth@example.com' })).not.toThrow(/hush/);
  });
});

describe('a channel', () => {
  test.each([
    ['ircs://berth@irc.example/builds', { host: 'irc.example', port: 6697, tls: true, nick: 'berth', channel: '#builds' }],
    ['irc://berth@irc.example:6668/%23%23ops', { host: 'irc.example', port: 6668, tls: false, nick: 'berth', channel: '##ops' }],
    ['ircs://be-rth_1@irc.example/&local', { host: 'irc.example', port: 6697, tls: true, nick: 'be-rth_1', channel: '&local' }],
  ])('%s', (text, irc) => expect(settings({ BERTH_IRC: text })).toEqual({ irc }));
  test.each(['ircs://irc.example/builds', 'ircs://1up@irc.example/builds', 'ircs://berth@irc.example', 'ircs://berth@irc.example/a%20b', 'ircs://berth@irc.example/a%0d%0aQUIT', 'ircs://berth@irc.example/a,b', 'http://berth@irc.example/a'])('refused: %s', (text) =>
    expect(() => settings({ BERTH_IRC: text })).toThrow(/BERTH_IRC: must be ircs:\/\/NICK@HOST/));
  test('with a password only over TLS', () => {
    expect(settings({ BERTH_IRC: 'ircs://berth@irc.example/builds', BERTH_IRC_SECRET: 'i' }).irc).toMatchObject({ secret: 'i' });
    expect(() => settings({ BERTH_IRC: 'irc://berth@irc.example/builds', BERTH_IRC_SECRET: 'i' })).toThrow('BERTH_IRC: must be ircs://');
  });
});

test('the URL of a chat is a secret itself', () => {
  expect(settings({ BERTH_CHAT_SECRET: 'chat-url' })).toEqual({ chat: { secret: 'chat-url' } });
  expect(() => settings({ BERTH_CHAT_SECRET: 'https://chat.example/hook' })).toThrow(/BERTH_CHAT_SECRET: a secret is named by/);
});

test('every fault is listed, also of what does not fit together', () => {
  expect(() => settings({ BERTH_TICKETS: 'x', BERTH_SMTP: 'y', BERTH_IRC: 'z', BERTH_MAIL_FROM: 'nobody' })).toThrow(/BERTH_TICKETS:.*BERTH_SMTP:.*BERTH_MAIL_FROM:.*BERTH_IRC:/);
  expect(() => settings({ BERTH_TICKETS: 'webhook+https://t.example/', BERTH_SMTP: 'smtp://berth@mail.example', BERTH_IRC_SECRET: 'i' })).toThrow(
    /BERTH_TICKETS_SECRET: must be set too.*BERTH_MAIL_FROM: must be set too.*BERTH_SMTP_SECRET: must be set too.*BERTH_IRC: must be set too/,
  );
  expect(() => settings({ BERTH_MAIL_FROM: 'berth@example.com' })).toThrow(/BERTH_SMTP: must be set too/);
});

const published = (tasks: string) => actionSettings(readEnvironment({ BERTH_JOB_TASKS: tasks })).jobTasks;

test('all jobs are published until some are named', () => {
  expect(published(' ')).toEqual([]);
  expect(actionSettings(readEnvironment({})).jobTasks).toBeUndefined();
  expect(published('reboot, ping,')).toEqual(['ping', 'reboot']);
  expect(published(' , ')).toEqual([]);
});

test('what is no job stops the start, and is named with what there is', () => {
  expect(() => published('reboot,fly')).toThrow(/BERTH_JOB_TASKS: has "fly", which is no job: use ping, status, reboot, /);
  expect(() => published('Reboot,fly')).toThrow(/has "Reboot", "fly", which are no jobs/);
});
