import type { LiveEvent } from '@berth/client';
import { Link } from 'wouter';
import { short } from '../words/text';

const at = (path: string, id: string) => `/${path}/${encodeURIComponent(id)}`;

/** To something by its id, of which the beginning is shown. */
export const LeaseLink = ({ id }: { id: string }) => <Link href={at('leases', id)} className="mono" title={id}>{short(id)}</Link>;
export const ResourceLink = ({ id, name }: { id: string; name?: string | undefined }) => <Link href={at('resources', id)} {...(name === undefined && { className: 'mono' })} title={id}>{name ?? short(id)}</Link>;
export const BuildLink = ({ id }: { id: string }) => <Link href={at('builds', id)} className="mono" title={id}>{short(id)}</Link>;
export const MachineLink = ({ name }: { name: string }) => <Link href={at('machines', name)}>{name}</Link>;
export const HardwareLink = ({ name }: { name: string }) => <Link href={at('hardware', name)}>{name}</Link>;
export const JobLink = ({ id }: { id: string }) => <Link href={at('jobs', id)} className="mono" title={id}>{short(id)}</Link>;
export const ImageLink = ({ name, channel }: { name: string; channel?: string }) => <Link href={at('images', name)}>{channel === undefined ? name : `${name}:${channel}`}</Link>;
/** To a version of an image, by its number. */
export const VersionLink = ({ id, number, children }: { id: string; number: number | null; children?: string }) => <Link href={at('versions', id)} title={id}>{children ?? (number === null ? short(id) : `version ${number}`)}</Link>;
export const CatalogLink = ({ name }: { name: string }) => <Link href={at('catalogs', name)}>{name}</Link>;
export const BlueprintLink = ({ name }: { name: string }) => <Link href={at('blueprints', name)}>{name}</Link>;

/** To whatever an event is of. */
export function KindLink({ kind, id }: { kind: LiveEvent['kind']; id: string }) {
  switch (kind) {
    case 'lease':
      return <LeaseLink id={id} />;
    case 'resource':
      return <ResourceLink id={id} />;
    case 'build':
      return <BuildLink id={id} />;
    case 'machine':
      return <MachineLink name={id} />;
    case 'blueprint':
      return <BlueprintLink name={id} />;
    case 'hardware':
      return <HardwareLink name={id} />;
    case 'job':
      return <JobLink id={id} />;
    case 'image':
      return <ImageLink name={id} />;
    case 'catalog':
    case 'plan':
    case 'action':
    case 'fleet':
    case 'token':
    case 'access':
    case 'webhook':
    case 'secret':
    case 'hardware-group':
    case 'replication':
      return <Link href={at('history', id)} className="mono" title={id}>{short(id)}</Link>;
  }
}

/** Who holds or asks for something; of a build the build. */
export function Owner({ name }: { name: string }) {
  const build = /^build:([0-9a-f-]{36})$/.exec(name)?.[1];
  return build === undefined ? <span title={name}>{name}</span> : <>build <BuildLink id={build} /></>;
}

export const HistoryLink = ({ id, children = 'History' }: { id: string; children?: string }) => <Link href={at('history', id)} className="button">{children}</Link>;
