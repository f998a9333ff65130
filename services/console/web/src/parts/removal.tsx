import type { Permission, RemovedView } from '@berth/client';
import { useRef, useState, type ReactNode } from 'react';
import { run, type Command } from '../api/commands';
import { useHas } from '../api/session';
import { Dialog } from '../ui/dialog';
import { Act } from './act';

interface RemovalProps {
  title: string;
  command: Omit<Command, 'method' | 'query'>;
  /** what `cascade` takes away besides; without it there is nothing */
  cascade?: string | undefined;
  /** what it means */
  children: ReactNode;
  onGone?: (() => void) | undefined;
}

/** A button that removes something of an image; it is there for whoever may. What is left for a person is told afterwards. */
export function RemovalButton({ children = 'Remove', needs = 'images:write', small = false, label, ...of }: Omit<RemovalProps, 'children'> & { says: ReactNode; needs?: Permission; small?: boolean; label?: string; children?: string }) {
  const [asking, setAsking] = useState(false);
  const has = useHas(needs);
  if (!has) return null;
  const { says, ...rest } = of;
  return (
    <>
      <Act needs={needs} tone="danger" small={small} pending={rest.command.key} onPress={() => setAsking(true)} {...(label !== undefined && { label })}>{children}</Act>
      {asking && <Removal {...rest} onClose={() => setAsking(false)}>{says}</Removal>}
    </>
  );
}

function Removal({ title, command, cascade, children, onGone, onClose }: RemovalProps & { onClose: () => void }) {
  const [all, setAll] = useState(false);
  const [manual, setManual] = useState<readonly string[]>([]);
  const left = useRef<readonly string[]>(undefined);
  const confirm = async (): Promise<void> => {
    left.current = (await run<Partial<RemovedView>>({ ...command, method: 'DELETE', query: { cascade: all || undefined } }, { quiet: true })).manual ?? [];
  };
  const over = (): void => {
    onClose();
    onGone?.();
  };
  const closed = (): void => {
    if (left.current === undefined) onClose();
    else if (left.current.length === 0) over();
    else setManual(left.current);
  };
  if (manual.length > 0) {
    return (
      <Dialog key="manual" title="To be removed by hand" action="Done" tells onConfirm={() => Promise.resolve()} onClose={over}>
        <p>Berth has not made it, so it does not remove it:</p>
        <ul>{manual.map((one) => <li key={one} className="mono">{one}</li>)}</ul>
      </Dialog>
    );
  }
  return (
    <Dialog key="ask" title={title} action="Remove" danger onConfirm={confirm} onClose={closed}>
      <p>{children}</p>
      {cascade !== undefined && <label className="row"><input type="checkbox" checked={all} onChange={(event) => setAll(event.target.checked)} /> <span>{cascade}</span></label>}
    </Dialog>
  );
}
