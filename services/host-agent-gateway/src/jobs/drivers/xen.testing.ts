import { randomUUID } from 'node:crypto';
import type { ManagementInterfaces } from '@berth/contracts';
import { createPlant, type Plant, type PlantOptions } from './plant.testing.js';
import { startWeb, type TestWeb } from './web.testing.js';

type Xen = NonNullable<ManagementInterfaces['xen']>;

export interface XenOptions extends PlantOptions {
  /** It is a member of a pool, and this is the master. */
  master?: string;
  /** What its user may not do. */
  denied?: string;
}

/** A pool with one virtual machine, which speaks JSON-RPC 2.0 as xapi does. */
export interface TestXen extends TestWeb {
  readonly plant: Plant;
  /** What was done, in order. */
  readonly done: string[];
  readonly login: { user: string; password: string };
  /** How many sessions are open. */
  sessions(): number;
  /** While true, a session can't be ended. */
  keepSessions(on: boolean): void;
  /** As it is set in Berth; `password` is the secret `xen-password`. */
  at(changes?: Partial<Xen>): Xen;
}

class Refusal extends Error {
  constructor(code: string, readonly data: string[] = []) {
    super(code);
  }
}
const VM = '4f1c1b9e-7c3c-4a5e-9d43-0a3f6f9b2c11';

export async function startXen(options: XenOptions = {}): Promise<TestXen> {
  const login = { user: 'root', password: 'X3n;$(id)"' };
  const plant = createPlant(options);
  const done: string[] = [];
  const sessions = new Set<string>();
  const vmRef = `OpaqueRef:${randomUUID()}`;
  let keeping = false;

  const needs = (wanted: 'running' | 'halted'): void => {
    const actual = plant.isOn() ? 'running' : 'halted';
    if (actual !== wanted) throw new Refusal('VM_BAD_POWER_STATE', [vmRef, wanted, actual]);
  };
  const does = (method: string, wanted: 'running' | 'halted', doing: () => void): string => {
    needs(wanted);
    done.push(method);
    doing();
    return '';
  };
  /** A clean one is over once the machine is. */
  const clean = (method: string, doing: () => void): Promise<string> | string => {
    if (options.ignoresShutdown) throw new Refusal('VM_SHUTDOWN_TIMEOUT', [vmRef, '1200.']);
    return does(method, 'running', doing);
  };
  const methods: Record<string, { parameters: number; run(...parameters: unknown[]): unknown }> = {
    'VM.get_by_uuid': {
      parameters: 1,
      run: (uuid) => {
        if (uuid !== VM) throw new Refusal('UUID_INVALID', ['VM', String(uuid)]);
        return vmRef;
      },
    },
    'VM.get_power_state': { parameters: 1, run: () => (plant.isOn() ? 'Running' : 'Halted') },
    'VM.start': { parameters: 3, run: () => does('VM.start', 'halted', () => plant.power(true)) },
    'VM.clean_shutdown': { parameters: 1, run: () => clean('VM.clean_shutdown', () => plant.shutdown()) },
    'VM.hard_shutdown': { parameters: 1, run: () => does('VM.hard_shutdown', 'running', () => plant.power(false)) },
    'VM.clean_reboot': { parameters: 1, run: () => clean('VM.clean_reboot', () => plant.restart()) },
    'VM.hard_reboot': { parameters: 1, run: () => does('VM.hard_reboot', 'running', () => plant.reset()) },
    'session.logout': { parameters: 0, run: () => '' },
  };

  const call = async (method: string, parameters: unknown[]): Promise<unknown> => {
    if (options.master !== undefined) throw new Refusal('HOST_IS_SLAVE', [options.master]);
    if (method === 'session.login_with_password') {
      if (parameters.length !== 4) throw new Refusal('MESSAGE_PARAMETER_COUNT_MISMATCH', [method, '4', String(parameters.length)]);
      const [user, password] = parameters;
      if (user !== login.user || password !== login.password) throw new Refusal('SESSION_AUTHENTICATION_FAILED', [String(user), 'Authentication failure']);
      const session = `OpaqueRef:${randomUUID()}`;
      sessions.add(session);
      return session;
    }
    const known = methods[method];
    const [session, ...rest] = parameters;
    if (known === undefined) throw new Refusal('MESSAGE_METHOD_UNKNOWN', [method]);
    if (!sessions.has(String(session))) throw new Refusal('SESSION_INVALID', [String(session)]);
    if (rest.length !== known.parameters) throw new Refusal('MESSAGE_PARAMETER_COUNT_MISMATCH', [method, String(known.parameters + 1), String(parameters.length)]);
    if (method === options.denied) throw new Refusal('RBAC_PERMISSION_DENIED', [method, 'No permission']);
    if (method.startsWith('VM.') && method !== 'VM.get_by_uuid' && rest[0] !== vmRef) throw new Refusal('HANDLE_INVALID', ['VM', String(rest[0])]);
    if (method === 'session.logout') {
      if (keeping) throw new Refusal('INTERNAL_ERROR', [String(session)]);
      sessions.delete(String(session));
    }
    return known.run(...rest);
  };

  const web = await startWeb(async ({ method, path, headers, body }) => {
    if (method !== 'POST' || path !== '/jsonrpc') return { status: 404 };
    if (headers['content-type'] !== 'application/json') return { status: 400 };
    const { jsonrpc, id, method: name, params } = JSON.parse(body) as { jsonrpc: string; id: unknown; method: string; params: unknown[] };
    if (jsonrpc !== '2.0') return { status: 400 };
    const answer = (content: unknown) => ({ status: 200, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ jsonrpc, id, ...(content as object) }) });
    try {
      return answer({ result: await call(name, params) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return answer({ error: { code: 1, message: error.message, data: error.data } });
    }
  });
  return {
    ...web,
    plant,
    done,
    login,
    sessions: () => sessions.size,
    keepSessions: (on) => (keeping = on),
    at: (changes = {}) => ({ url: web.url, vm: VM, user: login.user, password: 'xen-password', certificate: web.certificate, ...changes }),
    stop: async () => {
      plant.stop();
      await web.stop();
    },
  };
}
