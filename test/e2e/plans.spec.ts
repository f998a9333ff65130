import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BuildEvent } from '@berth/contracts';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { repository } from '../support/repository.js';
import { eventually } from '../support/wait.js';

type Events = BuildEvent[];

/** Plans as people write them, on real hosts, with every service in a process of its own. */
describe('plans', () => {
  let fleet: Fleet;
  const folders: string[] = [];
  beforeAll(async () => {
    fleet = await startFleet();
    await fleet.setSecret('npm-token', 'correct horse battery');
    folders.push(await fleet.addMachine('one', await startTestSshd(), { slots: 2, attributes: { pool: 'one' } }));
    folders.push(await fleet.addMachine('two', await startTestSshd(), { slots: 2, attributes: { pool: 'two' } }));
  });

  const eventsOf = async (build: string): Promise<Events> => (await fleet.events('build')).filter((r) => r.id === build).flatMap((r) => r.commit.events as Events);
  const told = <T extends BuildEvent['type']>(events: Events, type: T) => events.filter((event): event is Extract<BuildEvent, { type: T }> => event.type === type);
  const stepNames = (events: Events, type: 'StepStarted') => told(events, type).map(({ data }) => data.name);
  const outputOf = async (events: Events, step: string) => fleet.output(told(events, 'StepStarted').findLast(({ data }) => data.name === step)!.data.action);
  const nothingLeft = async () => {
    for (const folder of folders) expect(await fleet.leftovers(folder)).toEqual([]);
  };
  const build = async (yaml: string, variables: Record<string, string> = {}) => {
    await fleet.applyPlan(yaml);
    return fleet.build(/^name: (\S+)/m.exec(yaml)![1]!, variables);
  };
  const ended = async (id: string, timeoutMs = 60_000) => (await fleet.ended(id, { timeoutMs })).data;
  /** Resolves once a step waits for somebody. */
  const reached = (id: string, step: string) => eventually(async () => expect(stepNames(await eventsOf(id), 'StepStarted')).toContain(step), { timeoutMs: 30_000 });

  test('steps that need nothing of each other run at the same time; results go from one to the next', async () => {
    const id = await build(`
name: graph
host: { pool: one }
variables: { WHO: { required: true }, LOUD: { type: boolean, default: "false" } }
steps:
  - { name: Left, needs: [], run: 'touch left; while [ ! -e right ]; do sleep 0.02; done; echo "version=1.2.3" >>"$BERTH_OUTPUT"' }
  - { name: Right, needs: [], run: 'touch right; while [ ! -e left ]; do sleep 0.02; done' }
  - { name: Both, needs: [left, right], run: 'echo "\${{ steps.left.outputs.version }} for \${{ vars.WHO }}; $WHO"' }
  - { name: Loud, if: vars.LOUD, run: exit 9 }
  - { name: Flaky, retries: 2, run: 'echo x >>tries; [ "$(wc -l <tries)" -ge 3 ]' }
  - { name: Allowed, continueOnError: true, run: exit 4 }
  - { name: 'Part', matrix: { os: [a, b], n: [1, 2], exclude: [{ os: b, n: 2 }] }, run: 'echo "\${{ matrix.os }}-\${{ matrix.n }}"' }
  - { name: Last, if: always(), run: 'echo "\${{ steps.allowed.outcome }} \${{ steps.flaky.outcome }}"' }
`, { WHO: `o'clock "$(id)"; \`id\`` });
    expect(await ended(id)).toMatchObject({ status: 'passed', percent: 100, error: null });
    const events = await eventsOf(id);
    expect((await outputOf(events, 'Both')).stdout).toBe(`1.2.3 for o'clock "$(id)"; \`id\`; o'clock "$(id)"; \`id\`\n`);
    expect((await outputOf(events, 'Last')).stdout).toBe('failed passed\n');
    expect((await outputOf(events, 'Part (a, 2)')).stdout).toBe('a-2\n');
    expect(stepNames(events, 'StepStarted').filter((name) => name === 'Flaky')).toHaveLength(3);
    expect(stepNames(events, 'StepStarted').filter((name) => name.startsWith('Part'))).toEqual(['Part (a, 1)', 'Part (a, 2)', 'Part (b, 1)']);
    expect(told(events, 'StepFinished').find(({ data }) => data.outcome === 'skipped')).toMatchObject({ data: { because: 'condition' } });
    await nothingLeft();
  });

  test('a failure says which command, its exit code and its last lines; what is to run then does', async () => {
    const id = await build(`
name: failing
host: { pool: one }
steps:
  - { name: Compile, run: "echo compiling; echo 'error: no such thing' >&2; exit 2" }
  - { name: Never, run: echo never }
  - { name: Report, if: failure(), run: 'echo "it \${{ steps.compile.outcome }} with \${{ steps.compile.exitCode }}"' }
`);
    expect(await ended(id)).toMatchObject({ status: 'failed', error: 'step Compile failed: exit code 2', failure: { step: 'Compile', exitCode: 2, tail: expect.stringContaining('error: no such thing') as string } });
    const events = await eventsOf(id);
    expect(stepNames(events, 'StepStarted')).toEqual(['Compile', 'Report']);
    expect((await outputOf(events, 'Report')).stdout).toBe('it failed with 2\n');
    await nothingLeft();
  });

  test('secrets reach the command alone, and nothing that is printed or stored', async () => {
    const id = await build(`
name: secret
host: { pool: one }
secrets: { TOKEN: npm-token, KEY: { secret: npm-token, as: file } }
steps:
  - { name: Without, run: 'echo "[\${TOKEN-none}]"' }
  - { name: With, secrets: [TOKEN, KEY], run: 'test "\${#TOKEN}" = 21 && test "$(cat "$KEY")" = "$TOKEN" && echo "$TOKEN" && printf %s "$TOKEN" | base64' }
`);
    expect(await ended(id)).toMatchObject({ status: 'passed' });
    const events = await eventsOf(id);
    expect((await outputOf(events, 'Without')).stdout).toBe('[none]\n');
    const said = (await outputOf(events, 'With')).stdout;
    expect(said).toContain('*'.repeat('correct horse battery'.length));
    expect(said).not.toMatch(/horse|aG9yc2U|b3Jz/);
    expect(JSON.stringify(await fleet.events())).not.toContain('horse');
    await nothingLeft();
  });

  test('artifacts go from a step to the next, to another build, and to another host', async () => {
    const id = await build(`
name: making
hosts: { build: { pool: one }, check: { pool: two } }
steps:
  - { name: Make, run: 'mkdir -p out/deep && echo one >out/1.txt && echo two >out/deep/2.txt' }
  - { name: Keep, uses: upload-artifact, with: { path: 'out/**', name: kept } }
  - { name: Take, host: check, uses: download-artifact, with: { name: 'kept/**', path: in } }
  - { name: Look, host: check, run: 'cat in/kept/1.txt in/kept/deep/2.txt; test ! -e out' }
`);
    expect(await ended(id)).toMatchObject({ status: 'passed' });
    const events = await eventsOf(id);
    expect((await outputOf(events, 'Look')).stdout).toBe('one\ntwo\n');
    expect(told(events, 'ArtifactKept').map(({ data }) => [data.name, data.object]).sort()).toEqual([['kept/1.txt', `${id}/1/kept/1.txt`], ['kept/deep/2.txt', `${id}/1/kept/deep/2.txt`]]);
    expect(new Set(told(events, 'BuildStarted').map(({ data }) => data.machine))).toEqual(new Set(['one', 'two']));

    const other = await build(`
name: using
host: { pool: two }
variables: { FROM: { required: true } }
steps:
  - { name: Take, uses: download-artifact, with: { name: kept/1.txt, build: '\${{ vars.FROM }}' } }
  - { name: Look, run: cat kept/1.txt }
`, { FROM: id });
    expect(await ended(other)).toMatchObject({ status: 'passed' });
    expect((await outputOf(await eventsOf(other), 'Look')).stdout).toBe('one\n');
    await nothingLeft();
  });

  test('reports of tests are read, and their failures make the step fail', async () => {
    const repo = await repository({
      'report.xml': '<testsuite name="math" tests="2"><testcase classname="math" name="adds"/><testcase classname="math" name="divides"><failure message="by zero">at math.c:7</failure></testcase></testsuite>',
    });
    const id = await build(`
name: reporting
host: { pool: one }
workingCopy: { repository: ${repo}, ref: main }
steps:
  - { name: Tests, uses: publish-fragment, with: { path: '*.xml' } }
`);
    expect(await ended(id)).toMatchObject({ status: 'failed', error: expect.stringContaining('1 of 2 tests failed, the first: math') as string });
    const events = await eventsOf(id);
    expect(told(events, 'ReportPublished')).toMatchObject([{ data: { report: { format: 'junit', tests: { total: 2, passed: 1, failed: 1 } } } }]);
    expect(told(events, 'ArtifactKept')).toMatchObject([{ data: { type: 'tests' } }]);
    await nothingLeft();
  });

  test('people and systems decide, also before it is their turn; pausing holds what comes next', async () => {
    const id = await build(`
name: deciding
host: { pool: one }
steps:
  - { name: First, run: 'while [ ! -e go ]; do sleep 0.02; done' }
  - { name: Scan, uses: wait-for-message, with: { from: scanner } }
  - { name: Approve, uses: wait-for-approval, with: { message: ship it?, by: [ada] } }
  - { name: Ship, run: 'echo "approved by \${{ steps.approve.outputs.by }}, \${{ steps.scan.outputs.score }}"' }
`);
    await reached(id, 'First');
    const orchestrator = 'build-orchestrator' as const;
    await fleet.command(orchestrator, 'SendBuildMessage', { build: id, step: 'scan', type: 'pass', outputs: { score: '10' }, by: 'scanner' });
    await expect(fleet.command(orchestrator, 'SendBuildMessage', { build: id, step: 'approve', type: 'pass', by: 'eve' })).rejects.toThrow('not-allowed');
    await fleet.command(orchestrator, 'PauseBuild', { build: id, reason: 'lunch' });
    const action = told(await eventsOf(id), 'StepStarted')[0]!.data.action;
    const lease = (await fleet.events('action')).find((r) => r.id === action)!.commit.events[0]!.data as { lease: string; token: number };
    await fleet.command('host-agent-gateway', 'RunAction', { lease: lease.lease, token: lease.token, spec: { kind: 'put-file', path: 'go', content: '' } });
    await eventually(async () => expect(told(await eventsOf(id), 'StepFinished')).toHaveLength(1));
    expect(stepNames(await eventsOf(id), 'StepStarted')).toEqual(['First']);
    expect((await fleet.bus.waitForStatus('build', id, ({ data }) => data.status === 'paused', { timeoutMs: 10_000 })).data['activity']).toContain('lunch');
    await fleet.command(orchestrator, 'ResumeBuild', { build: id });
    await reached(id, 'Approve');
    await fleet.command(orchestrator, 'SendBuildMessage', { build: id, step: 'approve', type: 'pass', by: 'ada' });
    expect(await ended(id)).toMatchObject({ status: 'passed' });
    expect((await outputOf(await eventsOf(id), 'Ship')).stdout).toBe('approved by ada, 10\n');
    await nothingLeft();
  });

  test('an abort ends the whole process tree sooner than anything else that is ended, though it does not listen', async () => {
    const id = await build(`
name: stubborn
host: { pool: one }
steps:
  - { name: Stay, run: "trap '' TERM INT HUP; echo up; (trap '' TERM; sleep 300) & while :; do sleep 0.1; done" }
`);
    await reached(id, 'Stay');
    const action = told(await eventsOf(id), 'StepStarted')[0]!.data.action;
    await eventually(async () => expect((await fleet.output(action)).stdout).toBe('up\n'));
    const asked = Date.now();
    await fleet.command('build-orchestrator', 'AbortBuild', { build: id, reason: 'enough' });
    const end = await eventually(async () => {
      const commit = (await fleet.events('action')).find((r) => r.id === action && r.commit.events.some((event) => event.type === 'ActionCancelled'));
      expect(commit).toBeDefined();
      return commit!;
    });
    // Whatever does not listen is killed after 5 s, and at an abort after 0.5 s: the rest is what a busy machine takes.
    expect(Date.parse(end.commit.at) - asked).toBeLessThan(4500);
    expect(await ended(id)).toMatchObject({ status: 'aborted', error: 'enough' });
    await nothingLeft();
  });

  test('a new generation runs it again, its artifacts beside those before; one step again keeps what it can', async () => {
    const id = await build(`
name: again
hosts: { left: { pool: one }, right: { pool: two } }
steps:
  - { name: Make, needs: [], run: 'echo "generation $BERTH_BUILD_GENERATION" >made.txt' }
  - { name: Keep, uses: upload-artifact, with: { path: made.txt } }
  - { name: Other, needs: [], host: right, run: echo other }
`);
    expect(await ended(id)).toMatchObject({ status: 'passed', generation: 1 });
    await fleet.command('build-orchestrator', 'RestartBuild', { build: id, reason: 'once more' });
    await eventually(async () => expect((await fleet.ended(id)).data).toMatchObject({ status: 'passed', generation: 2, cleanedUp: true }), { timeoutMs: 30_000 });
    expect(told(await eventsOf(id), 'ArtifactKept').map(({ data }) => data.object)).toEqual([`${id}/1/made.txt`, `${id}/2/made.txt`]);
    await fleet.command('build-orchestrator', 'RerunStep', { build: id, step: 'keep' });
    await eventually(async () => expect((await fleet.ended(id)).data).toMatchObject({ status: 'passed', generation: 3, cleanedUp: true }), { timeoutMs: 30_000 });
    expect(stepNames(await eventsOf(id), 'StepStarted').filter((name) => name === 'Other')).toHaveLength(2);
    await nothingLeft();
  });

  test('a newer build of a group takes the place of an older one; another waits for its turn', async () => {
    const plan = (policy: string) => `
name: ${policy}
host: { pool: one }
concurrency: { group: '\${{ plan.name }}', policy: ${policy} }
steps:
  - { name: Long, run: 'echo here; sleep \${{ vars.FOR }}' }
variables: { FOR: { type: number, default: 0 } }
`;
    const older = await build(plan('cancel'), { FOR: '300' });
    await reached(older, 'Long');
    const newer = await build(plan('cancel'));
    expect(await ended(older)).toMatchObject({ status: 'aborted', error: expect.stringContaining(newer) as string });
    expect(await ended(newer)).toMatchObject({ status: 'passed' });

    const first = await build(plan('queue'), { FOR: '0.4' });
    const second = await build(plan('queue'));
    expect([await ended(first), await ended(second)]).toMatchObject([{ status: 'passed' }, { status: 'passed' }]);
    const all = (await fleet.events('build')).filter((r) => r.id === first || r.id === second);
    const at = (id: string, type: string) => all.find((r) => r.id === id && r.commit.events.some((event) => event.type === type))!.sequence;
    expect(at(second, 'StepStarted')).toBeGreaterThan(at(first, 'BuildPassed'));
    await nothingLeft();
  });

  describe('requests over HTTP and plans that call plans', () => {
    const got: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        got.push({ method: request.method!, url: request.url!, headers: request.headers, body });
        response.statusCode = request.url!.startsWith('/missing') ? 404 : 201;
        response.end('thanks');
      });
    });
    let url: string;
    beforeAll(async () => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => new Promise((resolve) => server.close(resolve)));

    test('are sent with their values escaped and their token; another plan is called and waited for', async () => {
      await fleet.applyPlan(`
name: callee
host: { pool: two }
variables: { WHAT: {} }
steps: [{ name: Say, run: 'echo "called with $WHAT"' }]
`);
      const id = await build(`
name: caller
steps:
  - { name: Tell, uses: http-request, with: { url: '${url}/hook?ref=\${{ vars.REF }}', secret: npm-token, body: { ref: '\${{ vars.REF }}' } } }
  - { name: Call, uses: call-plan, with: { plan: callee, variables: { WHAT: '\${{ steps.tell.outputs.status }}' } } }
  - { name: Miss, uses: http-request, with: { url: '${url}/missing' } }
variables: { REF: {} }
`, { REF: 'a&b=c d' });
      const status = await ended(id);
      expect(status).toMatchObject({ status: 'failed', error: 'step Miss failed: the answer was 404, not 2xx', hostLease: null });
      expect(got[0]).toMatchObject({ method: 'POST', url: '/hook?ref=a%26b%3Dc%20d', body: '{"ref":"a&b=c d"}', headers: { authorization: 'Bearer correct horse battery', 'content-type': 'application/json' } });
      const child = told(await eventsOf(id), 'StepStarted')[1]!.data.action;
      expect(await ended(child)).toMatchObject({ status: 'passed' });
      expect((await outputOf(await eventsOf(child), 'Say')).stdout).toBe('called with 201\n');
      await nothingLeft();
    });
  });
});
