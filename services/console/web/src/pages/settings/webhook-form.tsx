import type { WebhookView } from '@berth/client';
import type { WebhookSpec } from '@berth/contracts';
import { useState } from 'react';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { tagOf } from '../../api/request';
import { Dialog } from '../../ui/dialog';
import { TextField } from '../../ui/field';
import { wordsOf } from './words';

type StatusKind = WebhookSpec['kinds'][number];
/** All of them: one that is not shown would be taken away when another one is chosen. */
const kinds = Object.keys({ build: 1, lease: 1, action: 1, resource: 1, machine: 1, blueprint: 1, fleet: 1, image: 1, hardware: 1, job: 1 } satisfies Record<StatusKind, 1>) as readonly StatusKind[];

/** The key of a webhook, when its name is new. */
export interface NewKey {
  name: string;
  key: string;
}

interface WebhookFormProps {
  /** to be changed; a new one without it */
  webhook?: WebhookView;
  /** names that are taken */
  taken?: readonly string[];
  onKey?: (made: NewKey) => void;
  onClose: () => void;
}

/** Asks where which statuses are sent. */
export function WebhookForm({ webhook, taken = [], onKey, onClose }: WebhookFormProps) {
  const [base] = useState(tagOf(webhook));
  const [name, setName] = useState(webhook?.name ?? '');
  const [url, setUrl] = useState(webhook?.url ?? '');
  const [chosen, setChosen] = useState<readonly StatusKind[]>(webhook?.kinds ?? []);
  const [statuses, setStatuses] = useState(webhook?.statuses.join(', ') ?? '');
  const [problem, setProblem] = useState<unknown>();
  const wrong = (field: string) => (problem instanceof ProblemError ? problem.of(field, true) : undefined);
  const confirm = async (): Promise<void> => {
    if (!webhook && name === '') throw new ProblemError(0, 'invalid-data', 'The webhook has no name.', [{ field: 'name', message: 'is required: letters, digits and dashes' }]);
    // Saving is changing, where there is one.
    if (!webhook && taken.includes(name)) throw new ProblemError(0, 'name-taken', 'The name is taken.', [{ field: 'name', message: 'has a webhook already: change that one, or choose another name' }]);
    const { key } = await run<{ key?: string }>({ key: `webhook ${name}`, label: `Webhook ${name}`, method: 'PUT', path: `webhooks/${encodeURIComponent(name)}`, body: { url, kinds: chosen, statuses: wordsOf(statuses) }, base }, { quiet: true });
    if (key !== undefined) onKey?.({ name, key });
  };
  const toggle = (kind: StatusKind, on: boolean) => setChosen(kinds.filter((one) => (one === kind ? on : chosen.includes(one))));
  return (
    <Dialog title={webhook ? `Change ${webhook.name}` : 'New webhook'} action="Save" onConfirm={confirm} onClose={onClose} known={['name', 'url']} onProblem={setProblem}>
      {!webhook && <TextField label="Name" value={name} onValue={setName} error={wrong('name')} required />}
      <TextField label="URL" type="url" value={url} onValue={setUrl} hint="takes each status as a POST" error={wrong('url')} required />
      <fieldset className="field">
        <legend>Of which things (all when none is chosen)</legend>
        <div className="row wrap">{kinds.map((kind) => <label key={kind} className="row"><input type="checkbox" checked={chosen.includes(kind)} onChange={(event) => toggle(kind, event.target.checked)} /> {kind}</label>)}</div>
      </fieldset>
      <TextField label="Only these statuses" value={statuses} onValue={setStatuses} hint="with commas between, such as passed, failed; all when empty" error={wrong('statuses')} />
    </Dialog>
  );
}
