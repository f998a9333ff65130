import type { ManagementInterfaces } from '@berth/contracts';
import { createPlant, type Plant, type PlantOptions } from './plant.testing.js';
import { startWeb, type Answer, type Asked, type TestWeb } from './web.testing.js';

type Redfish = NonNullable<ManagementInterfaces['redfish']>;

export interface RedfishOptions extends PlantOptions {
  /** Ids of its systems. */
  systems?: string[];
  /** What its reset takes, and where that is told: by itself, in a document of its own, or nowhere. */
  resetTypes?: string[];
  told?: 'inline' | 'action info' | 'nowhere';
  bootTargets?: string[];
  /** Whose log it keeps: that of the system, or of its manager, as some makers do. */
  logs?: 'system' | 'manager' | 'none';
}

/** A service as DSP0266 has it, which refuses whatever that does not know. */
export interface TestRedfish extends TestWeb {
  readonly plant: Plant;
  /** What was done, in order. */
  readonly done: string[];
  readonly login: { user: string; password: string };
  /** As it is set in Berth; `password` is the secret `redfish-password`. */
  at(changes?: Partial<Redfish>): Redfish;
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => ({ status, headers: { 'Content-Type': 'application/json', 'OData-Version': '4.0', ...headers }, body: JSON.stringify(body) });
const refuse = (status: number, id: string, message: string): Answer => json(status, { error: { code: `Base.1.8.${id}`, message: 'See ExtendedInfo.', '@Message.ExtendedInfo': [{ MessageId: `Base.1.8.${id}`, Message: message }] } });
const ETAG = 'W/"7"';

export async function startRedfish(options: RedfishOptions = {}): Promise<TestRedfish> {
  const { systems = ['1'], resetTypes = ['On', 'ForceOff', 'GracefulShutdown', 'ForceRestart', 'Nmi'], told = 'inline', bootTargets = ['None', 'Pxe', 'Hdd'], logs = 'system' } = options;
  const login = { user: 'Administrator', password: 'R3d:f1sh"é' };
  const plant = createPlant(options);
  const done: string[] = [];
  const collection = (path: string, members: string[]): unknown => ({ '@odata.id': path, Members: members.map((member) => ({ '@odata.id': member })), 'Members@odata.count': members.length });
  const root = '/redfish/v1';
  // The newest first, on two pages.
  const entry = (id: number): unknown => ({ '@odata.id': `${root}/entries/${id}`, Id: String(id), Created: `2026-01-0${id}T00:00:00Z`, Severity: 'OK', Message: `Entry ${id}.` });

  const documents = (): Record<string, unknown> => {
    const all: Record<string, unknown> = {
      [`${root}/`]: { '@odata.id': `${root}/`, Systems: { '@odata.id': `${root}/Systems` } },
      [`${root}/Systems`]: collection(`${root}/Systems`, systems.map((id) => `${root}/Systems/${id}`)),
      [`${root}/Managers/bmc`]: { '@odata.id': `${root}/Managers/bmc`, LogServices: { '@odata.id': `${root}/logs` } },
      [`${root}/logs`]: collection(`${root}/logs`, logs === 'none' ? [] : [`${root}/logs/Audit`, `${root}/logs/Sel`]),
      [`${root}/logs/Sel`]: { '@odata.id': `${root}/logs/Sel`, Entries: { '@odata.id': `${root}/logs/Sel/Entries` } },
      [`${root}/logs/Sel/Entries`]: { Members: [entry(4), entry(3)], 'Members@odata.nextLink': `${root}/logs/Sel/Entries?$skip=2` },
      [`${root}/logs/Sel/Entries?$skip=2`]: { Members: [entry(2), entry(1)] },
      [`${root}/ResetInfo`]: { '@odata.id': `${root}/ResetInfo`, Parameters: [{ Name: 'ResetType', AllowableValues: resetTypes }] },
    };
    for (const id of systems) {
      const path = `${root}/Systems/${id}`;
      all[path] = {
        '@odata.id': path, '@odata.etag': ETAG, Id: id, PowerState: plant.isOn() ? 'On' : 'Off',
        Boot: { BootSourceOverrideEnabled: 'Disabled', BootSourceOverrideTarget: 'None', 'BootSourceOverrideTarget@Redfish.AllowableValues': bootTargets },
        Actions: { '#ComputerSystem.Reset': { target: `${path}/Actions/ComputerSystem.Reset`, ...(told === 'inline' ? { 'ResetType@Redfish.AllowableValues': resetTypes } : told === 'action info' ? { '@Redfish.ActionInfo': `${root}/ResetInfo` } : {}) } },
        ...(logs === 'manager' ? { Links: { ManagedBy: [{ '@odata.id': `${root}/Managers/bmc` }] } } : { LogServices: { '@odata.id': `${root}/logs` } }),
      };
    }
    return all;
  };

  const change = ({ path, method, headers, body }: Asked): Answer => {
    if (headers['content-type'] !== 'application/json') return refuse(415, 'MalformedJSON', 'Only application/json is taken.');
    const system = systems.find((id) => path.startsWith(`${root}/Systems/${id}`));
    const sent = JSON.parse(body) as Record<string, Record<string, unknown>>;
    if (system !== undefined && method === 'POST' && path === `${root}/Systems/${system}/Actions/ComputerSystem.Reset`) return reset(system, sent);
    if (system !== undefined && method === 'PATCH' && path === `${root}/Systems/${system}`) {
      if (headers['if-match'] !== ETAG) return refuse(412, 'PreconditionFailed', 'If-Match is needed.');
      const { Boot: boot = {}, ...others } = sent;
      const { BootSourceOverrideEnabled: enabled, BootSourceOverrideTarget: target, ...more } = boot;
      if (Object.keys({ ...others, ...more }).length > 0) return refuse(400, 'PropertyUnknown', `There is no ${Object.keys({ ...others, ...more })[0]}.`);
      if (!['Disabled', 'Once', 'Continuous'].includes(enabled as string) || !bootTargets.includes(target as string)) return refuse(400, 'PropertyValueNotInList', `${String(target)} is not allowed.`);
      done.push(`boot ${system} ${String(target)} ${String(enabled)}`);
      return { status: 204 };
    }
    return refuse(405, 'OperationNotAllowed', 'The operation is not allowed.');
  };
  const reset = (system: string, { ResetType: type, ...more }: Record<string, unknown>): Answer => {
    if (Object.keys(more).length > 0) return refuse(400, 'ActionParameterUnknown', `There is no ${Object.keys(more)[0]}.`);
    if (!resetTypes.includes(type as string)) return refuse(400, 'ActionParameterValueNotInList', `The value ${String(type)} is not allowed.`);
    if ((type === 'On') === plant.isOn()) return refuse(409, 'ResourceInUse', `The system is ${plant.isOn() ? 'on' : 'off'} already.`);
    done.push(`${String(type)} ${system}`);
    if (type === 'On') plant.power(true);
    else if (type === 'ForceOff') plant.power(false);
    else if (type === 'GracefulShutdown') plant.shutdown();
    else if (type === 'ForceRestart') plant.reset();
    return { status: 204 };
  };

  const web = await startWeb((asked) => {
    if (asked.headers.authorization !== `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`) return refuse(401, 'NoValidSession', 'There is no valid session.');
    if (asked.headers['odata-version'] !== '4.0') return refuse(412, 'PreconditionFailed', 'OData-Version must be 4.0.');
    if (asked.method !== 'GET') return change(asked);
    const document = documents()[asked.path];
    return document === undefined ? refuse(404, 'ResourceMissingAtURI', `There is nothing at ${asked.path}.`) : json(200, document);
  });
  return {
    ...web,
    plant,
    done,
    login,
    at: (changes = {}) => ({ url: web.url, user: login.user, password: 'redfish-password', certificate: web.certificate, ...changes }),
    stop: async () => {
      plant.stop();
      await web.stop();
    },
  };
}
