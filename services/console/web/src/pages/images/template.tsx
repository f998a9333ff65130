import type { HistoryEntry, ImageView } from '@berth/client';
import type { ImageEvent } from '@berth/contracts';
import { useWhole } from '../../api/read';
import { Source } from '../../parts/source-text';
import { Empty } from '../../ui/empty';
import { SelectField } from '../../ui/field';
import { Facts, Section } from '../../ui/page';
import { useParam } from '../../ui/params';
import { stamp } from '../../ui/time';

type Saved = Extract<ImageEvent, { type: 'ImageSaved' }>['data'];

/** What an image is made of: its template, as it is or as it was. */
export function Template({ image }: { image: ImageView }) {
  const [wanted, setWanted] = useParam('revision');
  // A name that was used before has revisions of that time too; the newest of a number is its own.
  const history = useWhole<HistoryEntry>(`history/${encodeURIComponent(image.name)}`, { query: { kind: 'image', type: 'ImageSaved' satisfies ImageEvent['type'] }, enabled: image.revision > 1 });
  if (image.template === null || image.source === null) return <Empty>It was imported: there is no template that it could be built from.</Empty>;
  const before = history.data?.items.map(({ data, time, actor }) => ({ ...(data as Saved), time, actor })).reverse() ?? [];
  const shown = before.find(({ revision }) => String(revision) === wanted && revision !== image.revision);
  const { template, source } = shown ?? { template: image.template, source: image.source };
  return (
    <>
      {shown && <p className="note wait">This is revision {shown.revision}. Versions are built from the newest one, {image.revision}.</p>}
      {before.length > 1 && (
        <div className="filters">
          <SelectField label="Revision" value={shown ? wanted : ''} onValue={setWanted} options={before.map(({ revision, time, actor }) => [revision === image.revision ? '' : String(revision), `${revision}, saved ${stamp(time)} by ${actor}`] as const)} />
        </div>
      )}
      <div className="columns">
        <Section title="Source" note={`revision ${shown?.revision ?? image.revision}, ${shown?.format ?? image.format ?? 'yaml'}`}><Source of="image" text={source} /></Section>
        <Section title="What it says">
          <Facts
            of={[
              ['Description', template.description],
              ['System', `${template.os.name} ${template.os.version}, ${template.os.arch}`],
              ['Installed from', template.os.install && <span className="mono">{template.os.install.url}</span>],
              ['Password of root', template.os.rootPassword === undefined ? 'locked' : `of the secret ${template.os.rootPassword}`],
              ['Made of', template.parent && `${template.parent.image}:${template.parent.channel}`],
              ['Built as', Object.keys(template.targets).join(', ') || 'nothing'],
              ['Packages', template.packages.length > 0 && template.packages.join(', ')],
              ['Repositories', template.repositories.map(({ name, url }) => <div key={name}>{name} <span className="mono quiet">{url}</span></div>)],
              ['Files', template.files.map(({ path, mode }) => <div key={path} className="mono">{path} <span className="quiet">{mode}</span></div>)],
              ['Commands', template.commands.map(({ name }, nth) => <div key={nth}>{name}</div>)],
            ]}
          />
        </Section>
      </div>
    </>
  );
}
