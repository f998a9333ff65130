import type { DeadLetterRetry, DeadLetterView, Page } from '@berth/client';
import { useState } from 'react';
import { queries, useRead, keyOf } from '../../api/read';
import { run } from '../../api/commands';
import { ProblemError } from '../../api/problem';
import { useHas } from '../../api/session';
import { Act } from '../../parts/act';
import { Dialog } from '../../ui/dialog';
import { Facts, Section } from '../../ui/page';
import { Table, type Column } from '../../ui/table';
import { Ago } from '../../ui/time';
import { short } from '../../words/text';

/** They are no events. */
const EVERY_MS = 10_000;

const columnsWith = (onAsk: (asked: Asked) => void): readonly Column<DeadLetterView>[] => [
  { id: 'service', head: 'For', width: '24%', cell: ({ service }) => service },
  { id: 'type', head: 'Command', width: '22%', cell: ({ type }) => type },
  { id: 'reason', head: 'Why', cell: ({ reason }) => <span title={reason}>{reason}</span> },
  { id: 'at', head: 'When', width: '96px', number: true, cell: ({ at }) => <Ago at={at} /> },
  { id: 'act', head: '', width: '84px', cell: (letter) => <button type="button" className="button small" aria-label={`Look at ${letter.type} of ${letter.service}`} onClick={() => onAsk({ letter, what: 'look' })}>Look</button> },
];

interface Asked {
  letter: DeadLetterView;
  what: 'look' | 'drop';
}

/** Commands that no service could carry out; not there for those who may not see them. */
export function DeadLetters() {
  const { data } = useRead<Page<DeadLetterView>>('dead-letters', { enabled: useHas('deadletters:read'), every: EVERY_MS });
  const [asked, setAsked] = useState<Asked>();
  if (!data) return null;
  return (
    <Section title="Dead letters" note="commands that could not be carried out">
      <Table label="Dead letters" columns={columnsWith(setAsked)} rows={data.items} rowKey={({ id }) => id} empty="Every command was carried out or refused." sortParam="dead" />
      {asked && <Letter asked={asked} onAsk={setAsked} />}
    </Section>
  );
}

function Letter({ asked: { letter, what }, onAsk }: { asked: Asked; onAsk: (asked: Asked | undefined) => void }) {
  const { id, service, type, reason, at, command } = letter;
  const path = `dead-letters/${encodeURIComponent(id)}`;
  const after = () => queries.invalidateQueries({ queryKey: keyOf('dead-letters').slice(0, 1) });
  const close = () => onAsk(undefined);
  const retry = async (): Promise<void> => {
    const { outcome, code, message } = await run<DeadLetterRetry>({ key: `dead ${id}`, label: `${type} sent again`, path: `${path}/retry` }, { quiet: true });
    await after();
    if (outcome === 'refused') throw new ProblemError(409, code ?? 'refused', `It was sent again, and refused: ${message}`);
  };
  const drop = async (): Promise<void> => {
    await run({ key: `dead ${id}`, label: `${type} dropped`, method: 'DELETE', path }, { quiet: true });
    await after();
  };
  if (what === 'drop') {
    return (
      <Dialog key="drop" title={`Drop ${type}`} action="Drop" danger onConfirm={drop} onClose={close}>
        <p>It is never carried out: {reason}</p>
      </Dialog>
    );
  }
  return (
    <Dialog key="look" title={`${type} for ${service}`} action="Send it again" wide onConfirm={retry} onClose={close}>
      <Facts of={[['Why', reason], ['When', <Ago at={at} />], ['Id', <span className="mono">{short(id)}</span>]]} />
      <pre className="details" tabIndex={0} aria-label="The command">{JSON.stringify(command, null, 2)}</pre>
      <div><Act needs="deadletters:write" tone="danger" pending={`dead ${id}`} onPress={() => onAsk({ letter, what: 'drop' })}>Drop it</Act></div>
    </Dialog>
  );
}
