import type { BlueprintView } from '@berth/client';
import { useState } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import { stringify } from 'yaml';
import { run } from '../../api/commands';
import { useFresh } from '../../api/read';
import { nameIn, YamlEditor } from '../../parts/yaml-editor';
import { Loaded } from '../../ui/empty';
import { SelectField } from '../../ui/field';
import { Page } from '../../ui/page';
import { examples } from './examples';

const kinds = Object.keys(examples);

/** Changes a blueprint; what is saved is its next version. */
export default function EditBlueprint() {
  const { name = '' } = useParams<{ name: string }>();
  const read = useFresh<BlueprintView>(`blueprints/${encodeURIComponent(name)}`);
  const [, go] = useLocation();
  return (
    <Page title={`Edit ${name}`} trail={<Link href="/blueprints">Blueprints</Link>}>
      <Loaded read={read}>{(blueprint) => <Editor of={blueprint} text={stringify(blueprint.spec)} name={name} onLeave={() => go(`/blueprints/${name}`)} />}</Loaded>
    </Page>
  );
}

/** Makes a blueprint, beginning with an example of its kind. */
export function NewBlueprint({ kind, onKind, onLeave }: { kind: string; onKind: (kind: string) => void; onLeave: () => void }) {
  const known = kinds.includes(kind) ? (kind as keyof typeof examples) : 'preallocated';
  return (
    <Page title="New blueprint" trail={<Link href="/blueprints">Blueprints</Link>}>
      <div className="filters"><SelectField label="Begin with" value={known} onValue={onKind} options={kinds} /></div>
      <Editor key={known} text={examples[known]} onLeave={onLeave} />
    </Page>
  );
}

function Editor({ of, text, name: fixed, onLeave }: { of?: BlueprintView; text: string; name?: string; onLeave: () => void }) {
  const [check, setCheck] = useState(true);
  const save = (data: Record<string, unknown>, base: string | undefined) => {
    const name = fixed ?? nameIn(data, 'blueprint');
    return run({ key: `save blueprint ${name}`, label: `Blueprint ${name}`, method: 'PUT', path: `blueprints/${encodeURIComponent(name)}`, body: data, base, ...(!check && { query: { check: false } }) }, { quiet: true });
  };
  return (
    <YamlEditor {...(of && { of })} text={text} save={save} onLeave={onLeave}>
      <label className="row"><input type="checkbox" checked={check} onChange={(event) => setCheck(event.target.checked)} /> ask its provider whether it could launch</label>
    </YamlEditor>
  );
}
