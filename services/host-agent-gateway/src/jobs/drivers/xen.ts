import { randomUUID } from 'node:crypto';
import type { ManagementInterfaces } from '@berth/contracts';
import { DriverFault, lineOf, type Call, type Driver, type Power } from './driver.js';
import { askWeb, pathOf } from './http.js';
import { list, parse, text, at as within } from './json.js';
import { masked } from './program.js';

type Xen = NonNullable<ManagementInterfaces['xen']>;

/** `Suspended` and `Paused` are neither. */
const POWER: Readonly<Record<string, Power>> = { Running: 'on', Halted: 'off' };
/** For the end of a session, when there may be no time left for anything else. */
const LOGOUT_MS = 5_000;

/** A virtual machine of XenServer or XCP-ng: XenAPI over JSON-RPC 2.0. Each call is a session of its own, which is always ended. */
export function xen(at: Xen): Driver {
  const web = { what: 'XenAPI', url: at.url, certificate: at.certificate };
  const where = `XenAPI at ${new URL(at.url).host}`;

  const ask = async (call: Call, method: string, params: readonly unknown[], secrets: readonly string[]): Promise<unknown> => {
    const id = randomUUID();
    const reply = await askWeb(call, web, { method: 'POST', path: pathOf(web, '/jsonrpc'), headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', method, params, id }) });
    const body = masked(reply.body, secrets);
    const json = parse(reply.body);
    if (reply.status !== 200 || json === undefined) throw new DriverFault('unknown-answer', `${where} answers ${method} with HTTP ${reply.status} and no JSON-RPC.`, body.slice(0, 4_096));
    const error = within(json, 'error');
    if (error !== undefined && error !== null) throw refused(method, error, secrets);
    if (within(json, 'id') !== id || !Object.hasOwn(json as object, 'result')) throw new DriverFault('unknown-answer', `${where} answers ${method} with neither a result nor an error.`, body.slice(0, 4_096));
    return within(json, 'result');
  };

  const refused = (method: string, error: unknown, secrets: readonly string[]): DriverFault => {
    const code = masked(text(error, 'message') ?? 'an error without a name', secrets);
    const data = (list(error, 'data') ?? []).map((part) => masked(String(part), secrets));
    const said = [method, code, ...data].join(' ');
    switch (code) {
      case 'SESSION_AUTHENTICATION_FAILED':
        return new DriverFault('not-authorised', `${where} does not know the user, or not with this password.`, said);
      case 'RBAC_PERMISSION_DENIED':
        return new DriverFault('not-authorised', `${where} does not allow ${method} to the user.`, said);
      case 'HOST_IS_SLAVE':
        return new DriverFault('refused', `${where} is not the master of its pool: set the URL of the master, ${data[0] ?? 'which it does not name'}.`, said);
      case 'UUID_INVALID':
        return new DriverFault('refused', `${where} has no virtual machine ${at.vm}.`, said);
      default:
        return new DriverFault('refused', `${where} refused ${method}: ${code}.`, said);
    }
  };

  /** Does something with the machine in a session of its own. */
  const session = async <T>(call: Call, work: (rpc: (method: string, ...more: unknown[]) => Promise<unknown>) => Promise<T>): Promise<T> => {
    const password = await lineOf(call, at.password);
    const opened = await ask(call, 'session.login_with_password', [at.user, password, '1.0', 'berth'], [password]);
    if (typeof opened !== 'string') throw new DriverFault('unknown-answer', `${where} opened a session without a name.`);
    const secrets = [password, opened];
    try {
      const vm = await ask(call, 'VM.get_by_uuid', [opened, at.vm], secrets);
      return await work((method, ...more) => ask(call, method, [opened, vm, ...more], secrets));
    } finally {
      // Whatever happened: sessions are few, and last a day. The call itself may have been told to end.
      const bye = { ...call, signal: AbortSignal.timeout(LOGOUT_MS) };
      await ask(bye, 'session.logout', [opened], secrets).catch((error: unknown) => call.heard(`the session could not be ended: ${masked((error as Error).message, secrets)}`));
    }
  };

  /** What is so already has not to be made so. */
  const change = (call: Call, wanted: Power | undefined, method: string, ...more: unknown[]): Promise<void> =>
    session(call, async (rpc) => {
      if (wanted !== undefined && powerOf(await rpc('VM.get_power_state')) === wanted) return call.heard(`it is ${wanted} already`);
      await rpc(method, ...more);
      call.heard(`${method}: done`);
    });
  const powerOf = (state: unknown): Power => {
    if (typeof state !== 'string') throw new DriverFault('unknown-answer', `${where} does not say whether the virtual machine is on.`);
    return POWER[state] ?? 'unknown';
  };

  return {
    power: (call) => session(call, async (rpc) => powerOf(await rpc('VM.get_power_state'))),
    // Not paused, and not on a host that it may not run on.
    on: (call) => change(call, 'on', 'VM.start', false, false),
    off: (call, hard) => change(call, 'off', hard ? 'VM.hard_shutdown' : 'VM.clean_shutdown'),
    // A clean one takes minutes to fail on a guest that hangs, which is why it is reset.
    reset: (call) => change(call, undefined, 'VM.hard_reboot'),
  };
}
