import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostAccess } from '@berth/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTestSshd, type TestSshd } from '../../../../test/support/sshd.js';
import { eventually } from '../../../../test/support/wait.js';
import { startGateway, type TestGateway } from '../gateway.testing.js';
import { commandLines, marked } from '../runner/runner.testing.js';

const PASSWORD = 'correct/horse+batteryünd 1';
const KEY = '-----BEGIN KEY-----\nQUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\n-----END KEY-----';
let gateway: TestGateway;
let sshd: TestSshd;
let access: HostAccess;
let lease: string;
let token: number;

beforeAll(async () => {
  [gateway, sshd] = await Promise.all([startGateway(), startTestSshd()]);
  await write('password', PASSWORD);
  await write('key', KEY);
  access = { transport: 'ssh', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, hostKey: sshd.hostKeyPublic, platform: 'linux', folder: join(gateway.home, 'host') };
  ({ lease, token } = await gateway.host('enrolled', access));
});

const write = async (name: string, value: string) => expect(await gateway.setSecret(name, value)).toMatchObject({ accepted: true });
type Command = Extract<Parameters<TestGateway['run']>[2], { kind: 'run-command' }>;
const begin = (command: string, more: Partial<Command> = {}) => gateway.run(lease, token, { kind: 'run-command', command, ...more });
const stream = async (action: string, name = 'stdout') => {
  const parts = (await gateway.chunks(action)).filter((chunk) => chunk.stream === name);
  parts.reduce((reached, { offset, bytes, cut }) => (expect(offset).toBe(reached), offset + bytes.length + cut), 0);
  return Buffer.concat(parts.map(({ bytes }) => bytes)).toString();
};
const starsOf = (text: string) => '*'.repeat(Buffer.byteLength(text));
const gate = (name: string) => join(gateway.home, name);
const waits = (name: string) => `while [ ! -e '${gate(name)}' ]; do sleep 0.02; done`;

describe('secrets of a command', () => {
  const secrets: Command['secrets'] = [{ name: 'PASSWORD', secret: 'password', as: 'env' }, { name: 'KEY', secret: 'key', as: 'file' }];

  it('reach it, and are in no event, no output, no list of processes and no script', async () => {
    const command = `test "$(wc -c <"$KEY")" = ${KEY.length}; ${waits('seen')}
printf '<%s>\\n' "$PASSWORD"; printf %s "$PASSWORD" | base64; printf 'u:%s' "$PASSWORD" | base64 -w 0; echo
printf 'correct/ho'; sleep 0.2; echo "rse+batteryünd 1."; cat "$KEY"; echo; sed -n 2p "$KEY" >&2
echo "TOKEN=x$PASSWORD" >>"$BERTH_OUTPUT"; echo "password $PASSWORD is wrong" >&2; exit 3`;
    const action = await begin(command, { secrets });
    await eventually(() => marked(action).length > 0);
    expect(commandLines().filter((line) => line.includes('correct/horse') || line.includes('BEGIN KEY'))).toEqual([]);
    const folder = join(access.folder, 'actions', action);
    expect(readdirSync(folder).filter((name) => readFileSync(join(folder, name), 'utf8').includes('BEGIN KEY'))).toEqual(['secret-KEY']);
    expect(readFileSync(join(folder, 'script'), 'utf8')).not.toContain('horse');
    writeFileSync(gate('seen'), '');
    const end = await gateway.ended(action);
    const encoded = Buffer.from(PASSWORD).toString('base64');
    const sure = Math.floor((Buffer.byteLength(PASSWORD) * 8) / 6);
    const shifted = Buffer.from(`u:${PASSWORD}`).toString('base64');
    const stars = starsOf(PASSWORD);
    expect(await stream(action)).toBe(
      [`<${stars}>`, '*'.repeat(sure) + encoded.slice(sure), shifted.slice(0, 3) + '*'.repeat(Math.floor(((Buffer.byteLength(PASSWORD) + 2) * 8) / 6) - 3) + shifted.slice(Math.floor(((Buffer.byteLength(PASSWORD) + 2) * 8) / 6)), `${stars}.`, starsOf(KEY), ''].join('\n'),
    );
    expect(end).toMatchObject({ type: 'ActionFailed', data: { code: 'exit', error: 'exit code 3', outputs: { TOKEN: `x${stars}` }, tail: expect.stringContaining(`password ${stars} is wrong`) } });
    for (const text of [JSON.stringify(await gateway.events(action)), await stream(action, 'stderr')]) for (const value of ['horse', 'QUJDREV', 'BEGIN KEY']) expect(text).not.toContain(value);
    await eventually(() => !existsSync(folder));
  });

  it('are masked on by another gateway, also one that the first has seen the beginning of', async () => {
    const action = await begin(`echo first; printf 'x correct/ho'; ${waits('masked')}; echo "rse+batteryünd 1"; exit 1`, { secrets });
    await eventually(async () => (await stream(action)) === 'first\nx ');
    await gateway.restart();
    writeFileSync(gate('masked'), '');
    expect(await gateway.ended(action)).toMatchObject({ data: { tail: `first\nx ${starsOf(PASSWORD)}` } });
    expect(await stream(action)).toBe(`first\nx ${starsOf(PASSWORD)}\n`);
  });

  it('end a command that can not be masked any more', async () => {
    await write('passing', 'now you see me');
    const action = await begin(`echo begun; sleep 300`, { secrets: [{ name: 'X', secret: 'passing', as: 'env' }] });
    await eventually(async () => (await stream(action)) === 'begun\n');
    const begun = marked(action);
    expect(await gateway.secret('RemoveSecret', { name: 'passing' })).toMatchObject({ accepted: true });
    await gateway.restart();
    expect(await gateway.ended(action)).toMatchObject({ type: 'ActionFailed', data: { code: 'secret', error: expect.stringContaining('The secret passing'), stdoutBytes: 6 } });
    expect(begun.length).toBeGreaterThan(0);
    expect(marked(action)).toEqual([]);
  });

  it.each([
    ['none', 'X', /^The secret none can't be used: there is none of this name; set it with `berth secret set none`\.$/],
    ['binary', 'X', /not text, so no variable can hold it; give it as a file/],
    ['password', 'BERTH_LEASE', /can't be given as BERTH_LEASE/],
  ])('that can not be given (%s as %s) keep it from starting', async (secret, name, error) => {
    await write('binary', 'ab\0cd');
    const action = await begin(`touch ${gate('started')}`, { secrets: [{ name, secret, as: 'env' }] });
    expect(await gateway.ended(action)).toMatchObject({ type: 'ActionFailed', data: { code: 'secret', error: expect.stringMatching(error) } });
    expect((await gateway.events(action)).map(({ type }) => type)).toEqual(['ActionRequested', 'ActionFailed']);
    expect(existsSync(gate('started'))).toBe(false);
  });

  it('can be given under no name that is none', async () => {
    const action = await begin('true', { secrets: [{ name: 'A B', secret: 'password', as: 'file' }] });
    expect(await gateway.ended(action)).toMatchObject({ type: 'ActionFailed', data: { code: 'invalid-value' } });
  });
});

describe('the end of a command', () => {
  it('has its outputs', async () => {
    const action = await begin(`echo one=1 >>"$BERTH_OUTPUT"; printf 'two<<END\\na\\nb\\nEND\\n' >>"$BERTH_OUTPUT"`);
    expect(await gateway.ended(action)).toEqual({ type: 'ActionSucceeded', data: { exitCode: 0, stdoutBytes: 0, stderrBytes: 0, outputs: { one: '1', two: 'a\nb' } } });
    const none = await begin('true');
    expect(await gateway.ended(none)).toEqual({ type: 'ActionSucceeded', data: { exitCode: 0, stdoutBytes: 0, stderrBytes: 0 } });
  });

  it('is a failure when they can not be read, unless it failed itself', async () => {
    const command = 'echo "no sign" >>"$BERTH_OUTPUT"';
    expect(await gateway.ended(await begin(command))).toMatchObject({ type: 'ActionFailed', data: { code: 'outputs', exitCode: 0, error: expect.stringMatching(/^line 1 of what was written to \$BERTH_OUTPUT/) } });
    expect(await gateway.ended(await begin(`${command}; exit 4`))).toMatchObject({ type: 'ActionFailed', data: { code: 'exit', exitCode: 4, error: 'exit code 4' } });
  });

  it.each([
    ['no-such-command-here', 127, 'a command was not found'],
    ['touch x; ./x', 126, 'could not be run'],
    ['kill -9 $$', 137, 'it was ended by SIGKILL'],
    ['echo "tar: No space left on device" >&2; exit 2', 2, 'a disk of host host-'],
  ])('says what is known: %s', async (command, exitCode, error) => {
    expect(await gateway.ended(await begin(command))).toMatchObject({ data: { code: 'exit', exitCode, error: expect.stringContaining(error) } });
  });

  it('has its last lines when its time is over, and none when it went well', async () => {
    expect(await gateway.ended(await begin(`printf '\\033[31mred\\033[0m\\n'; sleep 60`, { timeoutMs: 400 }))).toMatchObject({ type: 'ActionFailed', data: { code: 'timeout', tail: 'red' } });
    expect((await gateway.ended(await begin('echo fine'))).data).not.toHaveProperty('tail');
  });

  it('comes at once when it is cancelled without patience', async () => {
    const action = await begin(`trap '' TERM; echo ready; while :; do sleep 0.1; done`);
    await eventually(async () => (await stream(action)) === 'ready\n');
    const since = performance.now();
    expect(await gateway.cancel(action, 0)).toMatchObject({ accepted: true });
    expect(await gateway.ended(action)).toMatchObject({ type: 'ActionCancelled' });
    expect(performance.now() - since).toBeLessThan(4000);
    expect((await gateway.events(action)).find(({ type }) => type === 'CancelRequested')).toMatchObject({ data: { graceMs: 0 } });
  });

  it('is told by the shell that it asked for', async () => {
    expect(await gateway.ended(await begin('false | true', { shell: 'bash' }))).toMatchObject({ data: { code: 'exit', exitCode: 1 } });
    expect(await gateway.ended(await begin('echo', { shell: 'cmd' }))).toMatchObject({ type: 'ActionFailed', data: { code: 'shell', error: expect.stringContaining('ask for a host with os=windows') } });
  });
});

it('keeps the first and the last of too much output and says what is left out', async () => {
  const action = await begin('head -c 500000 /dev/zero | tr "\\0" a; head -c 300000 /dev/zero | tr "\\0" b; echo end', { outputLimit: 100_000 });
  expect(await gateway.ended(action)).toMatchObject({ type: 'ActionSucceeded', data: { stdoutBytes: 800_004, stderrBytes: 0 } });
  const chunks = await gateway.chunks(action);
  expect(chunks.filter(({ cut }) => cut > 0)).toEqual([{ stream: 'stdout', offset: 50_000, cut: 700_004, bytes: Buffer.alloc(0) }]);
  expect(await stream(action)).toBe(`${'a'.repeat(50_000)}${'b'.repeat(49_996)}end\n`);
});
