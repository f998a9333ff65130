import type { EnvironmentView, ImageView, ValidTemplate } from '@berth/client';
import type { FieldError } from '@berth/contracts';
import { useState } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { useFresh, useWhole } from '../../api/read';
import { SourceEditor } from '../../parts/source-editor';
import { Loaded } from '../../ui/empty';
import { SelectField, TextField } from '../../ui/field';
import { Page } from '../../ui/page';
import { inputOf, nothingSaid, saidOf, type Said } from './form';

const BEGINNING = `# What an image is made of.
name: web
description: what our services run on
os: { name: debian, version: bookworm, arch: x86_64 }
packages: [curl, nginx]
files:
  - { path: /etc/motd, content: "Built by Berth.\\n" }
commands:
  - { name: Enable the server, run: systemctl enable nginx }
targets:                      # what it can be built as: raw, oci, ec2, mock
  raw: { size: 4GiB }
  oci: {}
`;
const trail = <Link href="/images">Images</Link>;

/** Writes the template of an image, beginning with a small one. */
export function NewImage({ onLeave }: { onLeave: (saved?: string) => void }) {
  return <Page title="New image" trail={trail}><Editor text={BEGINNING} said={nothingSaid} action="Save" onLeave={onLeave} /></Page>;
}

/** Changes an image; what is saved is the next revision of its template. */
export default function EditImage() {
  const { name = '' } = useParams<{ name: string }>();
  const read = useFresh<ImageView>(`images/${encodeURIComponent(name)}`);
  const [, go] = useLocation();
  return (
    <Page title={`Edit ${name}`} trail={trail}>
      <Loaded read={read}>
        {(image) => <Editor of={image} text={image.source ?? BEGINNING.replace('name: web', `name: ${name}`)} said={saidOf(image)} action={`Save as revision ${image.revision + 1}`} onLeave={(saved) => go(`/images/${encodeURIComponent(saved ?? name)}`)} />}
      </Loaded>
    </Page>
  );
}

/** Everything else is of the template. */
const besides = /^(environment|retention|rebuild)(\.|$)/;
const isOfText = ({ field }: FieldError): boolean => !besides.test(field);

function Editor({ of, text, said, action, onLeave }: { of?: ImageView; text: string; said: Said; action: string; onLeave: (saved?: string) => void }) {
  const [form, setForm] = useState(said);
  const [problem, setProblem] = useState<unknown>();
  const environments = useWhole<EnvironmentView>('environments').data?.items ?? [];
  const wrong = (field: string) => (problem instanceof ProblemError ? problem.of(field, true) : undefined);
  const set = (field: keyof Said) => (value: string) => setForm((now) => ({ ...now, [field]: value }));
  const save = async (source: string, base: string | undefined): Promise<void> => onLeave((await run<{ name: string }>({ key: 'save image', label: 'Image', path: 'images', body: inputOf(source, form), base }, { quiet: true })).name);
  const check = async (source: string): Promise<string> => {
    const { template } = await run<ValidTemplate>({ key: 'check image', label: 'Check of the template', path: 'images/validate', body: { source } }, { quiet: true });
    const targets = Object.keys(template.targets);
    return `It can be saved as ${template.name}: ${template.os.name} ${template.os.version}, built as ${targets.length === 0 ? 'nothing yet' : targets.join(', ')}.`;
  };
  return (
    <SourceEditor label="Template" hint="YAML, or TDL (XML)" of={of} text={text} needs="images:write" action={action} save={save} check={check} onCancel={() => onLeave()} isOfText={isOfText} onTheirs={() => setForm(said)} onProblem={setProblem}>
      <div className="fields">
        <SelectField label="Environment" value={form.environment} onValue={set('environment')} options={[['', 'none: all targets and accounts'], ...new Set([...environments.map(({ name }) => name), ...(form.environment === '' ? [] : [form.environment])])]} hint="what is built, and where it is pushed to" error={wrong('environment')} />
        <TextField label="Versions that stay" inputMode="numeric" value={form.keep} onValue={set('keep')} hint="so many of the newest; 10 when only the time is given" error={wrong('retention.keep')} />
        <TextField label="Others stay for" value={form.maxAge} onValue={set('maxAge')} hint="such as 30d; all stay when both are empty" error={wrong('retention.maxAge')} />
        <TextField label="Built anew" value={form.schedule} onValue={set('schedule')} hint="five fields in UTC, such as 0 3 * * 1" error={wrong('rebuild.schedule')} />
        <label className="row"><input type="checkbox" checked={form.onParent} onChange={(event) => setForm((now) => ({ ...now, onParent: event.target.checked }))} /> <span>also when what it is made of moves on</span></label>
      </div>
    </SourceEditor>
  );
}
