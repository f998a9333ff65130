import type { ManagementInterfaces } from '@berth/contracts';
import { DriverFault, lineOf, type Call, type Driver, type Power } from './driver.js';
import { askWeb, type Ask, type Reply } from './http.js';
import { at as within, links, list, parse, text } from './json.js';
import { masked } from './program.js';

type Redfish = NonNullable<ManagementInterfaces['redfish']>;

const POWER: Readonly<Record<string, Power>> = { On: 'on', Off: 'off' };
/** A log that is longer than so many pages is read no further. */
const PAGES = 20;

/** Redfish (DMTF DSP0266, schemas ComputerSystem and LogEntry), with the password in each request, which every service takes. */
export function redfish(at: Redfish): Driver {
  const web = { what: 'The Redfish service', url: at.url, certificate: at.certificate };
  const where = `${web.what} at ${new URL(at.url).host}`;

  const ask = async (call: Call, request: Ask): Promise<Reply & { json: unknown }> => {
    const password = await lineOf(call, at.password);
    const login = Buffer.from(`${at.user}:${password}`).toString('base64');
    const reply = await askWeb(call, web, {
      ...request,
      headers: { Accept: 'application/json', 'OData-Version': '4.0', Authorization: `Basic ${login}`, ...(request.body === undefined ? {} : { 'Content-Type': 'application/json' }), ...request.headers },
    });
    const body = masked(reply.body, [password, login]);
    const json = parse(body);
    const said = text(json, 'error', '@Message.ExtendedInfo', 0, 'Message') ?? text(json, 'error', 'message');
    if (request.method !== 'GET' || reply.status >= 400) call.heard(`${request.method} ${request.path}: ${reply.status}${said === undefined ? '' : ` ${said}`}`);
    const fault = (kind: DriverFault['fault'], why: string): DriverFault => new DriverFault(kind, `${where} ${why}${said === undefined ? '' : ` (${said.replace(/\.$/, '')})`}.`, body.slice(0, 4_096));
    if (reply.status === 401 || reply.status === 403) throw fault('not-authorised', reply.status === 401 ? 'does not know the user, or not with this password' : 'does not allow this to the user');
    if (reply.status === 404) throw fault('refused', `has no ${request.path}`);
    if (reply.status >= 400) throw fault('refused', `refused ${request.method} ${request.path} with HTTP ${reply.status}`);
    if (request.method === 'GET' && (json === null || typeof json !== 'object')) throw fault('unknown-answer', `gave no JSON for ${request.path}`);
    return { ...reply, body, json };
  };
  const get = async (call: Call, path: string | undefined, what: string): Promise<{ json: unknown; etag: string | undefined; path: string }> => {
    // A link that leads to another host would take the password there.
    if (path === undefined || !/^\/(?!\/)[\x21-\x7e]*$/.test(path)) throw new DriverFault('unknown-answer', `${where} has no link to its ${what}.`);
    const { json, headers } = await ask(call, { method: 'GET', path });
    return { json, etag: text(json, '@odata.etag') ?? headers.etag, path };
  };

  const system = async (call: Call): Promise<{ json: unknown; etag: string | undefined; path: string }> => {
    const root = await get(call, '/redfish/v1/', 'root');
    const systems = await get(call, text(root.json, 'Systems', '@odata.id'), 'systems');
    const paths = links(systems.json, 'Members');
    const ids = paths.map((path) => path.replace(/\/+$/, '').split('/').at(-1) ?? '');
    const which = at.system === undefined && ids.length === 1 ? 0 : ids.indexOf(at.system ?? '');
    if (which < 0) throw new DriverFault('refused', `${where} has ${at.system === undefined ? `${ids.length} systems, and none is named` : `no system ${at.system}`}: set system to one of ${ids.join(', ') || 'none'}.`);
    return get(call, paths[which], 'system');
  };

  const reset = async (call: Call, type: 'On' | 'ForceOff' | 'GracefulShutdown' | 'ForceRestart'): Promise<void> => {
    const { json } = await system(call);
    const action = within(json, 'Actions', '#ComputerSystem.Reset');
    const target = text(action, 'target');
    if (target === undefined || !/^\/(?!\/)[\x21-\x7e]*$/.test(target)) throw new DriverFault('refused', `${where} has no action that resets its system.`);
    const allowed = await allowedTypes(call, action);
    if (allowed !== undefined && !allowed.includes(type)) throw new DriverFault('refused', `${where} does not offer ${type}, but ${allowed.join(', ') || 'nothing'}.`);
    await ask(call, { method: 'POST', path: target, body: JSON.stringify({ ResetType: type }) });
  };
  /** Said with the action itself or, by newer services, in a document of its own; by some nowhere. */
  const allowedTypes = async (call: Call, action: unknown): Promise<string[] | undefined> => {
    const inline = list(action, 'ResetType@Redfish.AllowableValues');
    const info = text(action, '@Redfish.ActionInfo');
    if (inline !== undefined || info === undefined) return inline?.map(String);
    const parameters = list((await get(call, info, 'reset action')).json, 'Parameters') ?? [];
    return list(parameters.find((parameter) => text(parameter, 'Name') === 'ResetType'), 'AllowableValues')?.map(String);
  };

  const entries = async (call: Call): Promise<unknown[]> => {
    const { json } = await system(call);
    // Some keep the log of the machine with the controller that manages it.
    const services = text(json, 'LogServices', '@odata.id') ?? text((await get(call, links(json, 'Links', 'ManagedBy')[0], 'logs')).json, 'LogServices', '@odata.id');
    const logs = links((await get(call, services, 'logs')).json, 'Members');
    const log = logs.find((path) => /\/sel\/?$/i.test(path)) ?? logs[0];
    if (log === undefined) return [];
    const found: unknown[] = [];
    let next = text((await get(call, log, 'event log')).json, 'Entries', '@odata.id');
    for (let page = 0; page < PAGES && next !== undefined; page++) {
      const entriesPage = await get(call, next, 'event log');
      found.push(...(list(entriesPage.json, 'Members') ?? []));
      next = text(entriesPage.json, 'Members@odata.nextLink');
    }
    return found;
  };

  return {
    power: async (call) => {
      const state = text((await system(call)).json, 'PowerState');
      if (state === undefined) throw new DriverFault('unknown-answer', `${where} does not say whether its system is on.`);
      return POWER[state] ?? 'unknown';
    },
    on: (call) => reset(call, 'On'),
    off: (call, hard) => reset(call, hard ? 'ForceOff' : 'GracefulShutdown'),
    reset: (call) => reset(call, 'ForceRestart'),
    bootFromNetwork: async (call) => {
      const { json, etag, path } = await system(call);
      const targets = list(json, 'Boot', 'BootSourceOverrideTarget@Redfish.AllowableValues');
      if (targets !== undefined && !targets.includes('Pxe')) throw new DriverFault('refused', `${where} can't let its system start from the network, but from ${targets.join(', ')}.`);
      const body = JSON.stringify({ Boot: { BootSourceOverrideEnabled: 'Once', BootSourceOverrideTarget: 'Pxe' } });
      await ask(call, { method: 'PATCH', path, body, ...(etag === undefined ? {} : { headers: { 'If-Match': etag } }) });
    },
    log: async (call, most) => {
      const all = (await entries(call)).map((entry) => ({ time: text(entry, 'Created') ?? '', severity: text(entry, 'Severity'), message: text(entry, 'Message') ?? text(entry, 'MessageId') ?? '' }));
      // Some tell the newest first and some last. Times of one log are written alike, so that they order as text.
      all.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
      return all.slice(-most).map(({ time, severity, message }) => [time, severity, message].filter(Boolean).join(' | '));
    },
  };
}
