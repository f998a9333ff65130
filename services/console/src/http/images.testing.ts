import { rejected, type Answer, type CatalogEvent, type ImageEvent, type ReplicationEvent } from '@berth/contracts';
import type { Scripted, Script, Sent } from '../scripted.testing.js';
import { assigned, channelSaved, imported, pushStarted, requested, revoked, saved, started } from '../views/images.testing.js';

type Told = ImageEvent | CatalogEvent | ReplicationEvent;

/** Answers commands about the image `web` and the catalogue as the factory does, for as far as the console needs it: what is to happen happens before that is said. */
export function factory(berth: Scripted): Record<string, Script> {
  const stores = (events: (sent: Sent) => Told[], more: (sent: Sent) => Record<string, unknown> = () => ({})): Script => async (sent): Promise<Answer> => {
    const { id, data } = sent;
    if (data['image'] === 'nothing') return rejected('unknown-image', 'There is no image nothing.', [{ field: 'data.image', message: 'is not known' }]);
    if (data['name'] === 'refused') return rejected('catalog-in-use', 'It is in use.', [{ field: 'data.name', message: 'is named by others' }]);
    const [kind, stream] = 'policy' in data || 'query' in data ? (['replication', String(data['policy'] ?? data['name'])] as const) : /Provider$|Account$|Environment$|Pool$|Catalog$|Deployable$|CatalogEntry$/.test(sent.type) ? (['catalog', 'main'] as const) : (['image', 'web'] as const);
    return { accepted: true, id, position: await berth.happen(kind, stream, ...events(sent)), ...(Object.keys(more(sent)).length > 0 && { data: more(sent) }) };
  };
  const entry = (type: CatalogEvent['type'], defaults: object = {}): Script => stores(({ data }) => [{ type, data: { description: '', ...defaults, ...data } } as CatalogEvent]);
  const version = (data: Sent['data']) => String(data['version']);
  let number = 0;
  return {
    SaveImage: async (sent) => {
      const position = await berth.happen('image', 'web', saved('web', { environment: 'dev' }), channelSaved('latest', { managed: true }));
      return { accepted: true, id: sent.id, position, data: { name: 'web', revision: 1 } };
    },
    ValidateTemplate: ({ id, data }) => (data['source'] === 'bad' ? rejected('invalid-template', 'The template is refused: line 1: name is missing.', [{ field: 'data.source', message: 'line 1: name is missing' }]) : { accepted: true, id, data: { template: (saved('web') as Extract<ImageEvent, { type: 'ImageSaved' }>).data.template } }),
    BuildImage: stores(({ id, data }) => [requested(id, ++number, { labels: (data['labels'] as Record<string, string> | undefined) ?? {} }), started(id, 'raw')]),
    ImportImage: stores(({ id }) => [imported(id, ++number)]),
    RebuildTarget: stores(({ data }) => [started(version(data), 'oci', 2)]),
    AbortVersion: stores(({ data }) => [{ type: 'TargetFailed', data: { version: version(data), target: 'raw', attempt: 1, error: 'aborted' } }]),
    PushImage: stores(({ data }) => (data['accounts'] as string[]).map((account) => pushStarted(version(data), account))),
    PushAll: stores(({ data }) => [pushStarted(version(data), 'a-raw')]),
    DeleteVersion: stores(({ data }) => [{ type: 'DeletionStarted', data: { version: version(data) } }], () => ({ manual: ['ami-1 of eu'] })),
    DeleteTargetImage: stores(({ data }) => [{ type: 'DeletionStarted', data: { version: version(data), target: 'raw' } }]),
    DeleteProviderImage: stores(({ data }) => [{ type: 'DeletionStarted', data: { version: version(data), account: String(data['account']) } }]),
    RemoveImage: stores(() => [{ type: 'ImageRemoved', data: {} }], () => ({ manual: [] })),
    SetLabels: () => rejected('labels-frozen', 'The version is complete: data.labels stays as it is.', [{ field: 'data.labels', message: 'stays as it is' }]),
    SetAttributes: stores(({ data }) => [{ type: 'AttributesSet', data: { version: version(data), attributes: data['attributes'] as Record<string, string> } }]),
    MarkVersion: stores(({ data }) => [{ type: 'VersionMarked', data: { version: version(data), as: data['as'] as 'disabled', reason: 'said so' } }]),
    RevokeVersion: stores(({ data }) => [revoked(version(data), { ...(data['at'] !== undefined && { at: String(data['at']) }) })]),
    RestoreVersion: stores(({ data }) => [{ type: 'VersionRestored', data: { version: version(data), reason: 'restored' } }]),
    SaveChannel: stores(({ data }) => [channelSaved(String(data['channel']), { ...(data['test'] !== undefined && { test: String(data['test']) }) })]),
    RemoveChannel: stores(({ data }) => [{ type: 'ChannelRemoved', data: { channel: String(data['channel']) } }]),
    AssignChannel: stores(({ id, data }) => (data['channel'] === 'tested' ? [{ type: 'TestStarted', data: { channel: 'tested', version: version(data), build: id, plan: 'smoke', by: 'assign', attempt: 1 } }] : [assigned(String(data['channel']), version(data))])),
    RollbackChannel: stores(({ data }) => [{ type: 'ChannelAssigned', data: { channel: String(data['channel']), version: String(data['to']), previous: null, by: 'rollback' } }]),
    SaveProvider: entry('ProviderSaved'), SaveAccount: entry('AccountSaved', { credentials: 'default' }), SaveEnvironment: entry('EnvironmentSaved', { targets: [], accounts: [] }), SavePool: entry('PoolSaved'), SaveCatalog: entry('CatalogSaved'),
    SaveDeployable: entry('DeployableSaved', { channel: 'latest' }),
    RemoveCatalogEntry: stores(({ data }) => [{ type: 'CatalogEntryRemoved', data: data as { kind: 'pool'; name: string } }]),
    SaveReplicationPolicy: stores(({ data }) => [{ type: 'ReplicationPolicySaved', data: { description: '', on: 'both', ...data, revision: 1 } as Extract<ReplicationEvent, { type: 'ReplicationPolicySaved' }>['data'] }]),
    RemoveReplicationPolicy: stores(() => [{ type: 'ReplicationPolicyRemoved', data: {} }]),
    CheckReplication: stores(() => [{ type: 'ReplicationCheckStarted', data: {} }]),
  };
}
