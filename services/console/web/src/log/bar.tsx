import type { BuildView } from '@berth/client';
import { useState, type FormEvent } from 'react';
import { Download } from '../parts/download';
import { Field, SelectField } from '../ui/field';
import { useParam } from '../ui/params';
import type { Search } from './search';
import { onHost } from './sections';

interface BarProps {
  build: BuildView;
  step: string;
  search: Search;
  onType: (text: string) => void;
  onMove: (by: 1 | -1) => void;
  follow: boolean;
  onFollow: (follow: boolean) => void;
  times: boolean;
  onTimes: (times: boolean) => void;
  closed: boolean;
  onClose: (closed: boolean) => void;
  /** false: that is no line */
  onGo: (text: string) => boolean;
}

/** What one can do with a log. */
export function Bar({ build, step, search, onType, onMove, follow, onFollow, times, onTimes, closed, onClose, onGo }: BarProps) {
  const [, setStep] = useParam('step');
  const names = [...new Set(build.steps.filter(onHost).map(({ name }) => name))];
  return (
    <div className="log-bar" role="group" aria-label="Log">
      <SelectField label="Step" value={step} onValue={setStep} options={[['', 'all of them'], ...names]} />
      <div className="find">
        <Field label="Find">
          {(control) => (
            <input
              {...control}
              className="input"
              type="search"
              autoComplete="off"
              value={search.text}
              onChange={(event) => onType(event.target.value)}
              onKeyDown={(event) => {
                if (event.key === 'Enter') onMove(event.shiftKey ? -1 : 1);
              }}
            />
          )}
        </Field>
        <button type="button" className="button" aria-label="Previous match" disabled={search.matches.length === 0} onClick={() => onMove(-1)}>↑</button>
        <button type="button" className="button" aria-label="Next match" disabled={search.matches.length === 0} onClick={() => onMove(1)}>↓</button>
        <span className="found" role="status">{foundIn(search)}</span>
      </div>
      <GoTo onGo={onGo} />
      <button type="button" className="button" aria-pressed={follow} onClick={() => onFollow(!follow)}>{follow ? 'Follows the end' : 'Follow the end'}</button>
      <button type="button" className="button" aria-pressed={times} onClick={() => onTimes(!times)}>Times</button>
      <button type="button" className="button" onClick={() => onClose(!closed)}>{closed ? 'Unfold all' : 'Fold all'}</button>
      <span className="end"><Download path={`builds/${build.id}/log`} query={{ download: true, step }} name={`${build.plan}-${build.id}.log`} label="Download as text">Download</Download></span>
    </div>
  );
}

function foundIn({ text, matches, index, cursor, busy }: Search): string {
  if (text === '') return '';
  if (busy && matches.length === 0) return 'looking…';
  return matches.length === 0 ? 'not found' : `${index + 1} of ${matches.length}${cursor === null ? '' : '+'}`;
}

function GoTo({ onGo }: { onGo: (text: string) => boolean }) {
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setWrong(!onGo(text));
  };
  return (
    <form onSubmit={submit} noValidate>
      <Field label="Go to line" error={wrong ? 'no such line' : undefined}>
        {(control) => <input {...control} className="input" size={9} inputMode="numeric" autoComplete="off" placeholder="such as 120" value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
    </form>
  );
}
