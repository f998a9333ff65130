import '@xterm/xterm/css/xterm.css';
import type { Bodies, LiveEnding, LiveOpening, TerminalSize } from '@berth/contracts';
import { LiveEnd } from '@berth/contracts/live';
import { FitAddon } from '@xterm/addon-fit';
import { Terminal as Screen } from '@xterm/xterm';
import { useEffect, useRef, useState } from 'react';
import { Link, useParams } from 'wouter';
import { address, ask } from '../../api/request';
import { Badge } from '../../ui/badge';
import { Page } from '../../ui/page';
import { ProblemBox } from '../../ui/problem';
import { useTheme } from '../../style/theme';
import { short } from '../../words/text';

type State = { status: 'connecting' } | { status: 'open' } | { status: 'over'; ending: LiveEnding } | { status: 'refused'; problem: unknown };

/** A terminal in the folder of a lease. It ends when the page is left. */
export default function Terminal() {
  const { id = '' } = useParams<{ id: string }>();
  const [state, setState] = useState<State>({ status: 'connecting' });
  const [nth, setNth] = useState(1);
  const again = (): void => {
    setState({ status: 'connecting' });
    setNth(nth + 1);
  };
  const over = state.status === 'over' || state.status === 'refused';
  return (
    <Page title={`Terminal of lease ${short(id)}`} fill trail={<Link href={`/leases/${id}`}>Lease</Link>} actions={over && <button className="button" onClick={again}>Open another</button>}>
      {state.status === 'refused' ? <ProblemBox error={state.problem} /> : <div role="status"><Told state={state} /></div>}
      <Glass key={nth} lease={id} onState={setState} />
    </Page>
  );
}

function Told({ state }: { state: Exclude<State, { status: 'refused' }> }) {
  switch (state.status) {
    case 'connecting':
      return <Badge status="connecting" tone="wait" />;
    case 'open':
      return <Badge status="active">open</Badge>;
    case 'over':
      return <><Badge status="over">over</Badge> {state.ending.message}{state.ending.exitCode !== undefined && ` Exit code ${state.ending.exitCode}.`}</>;
  }
}

/** Colours are those of the page, which follow the system and the switch. */
function coloursOf(element: Element) {
  const { color, backgroundColor } = getComputedStyle(element);
  return { background: backgroundColor, foreground: color, cursor: color };
}

function Glass({ lease, onState }: { lease: string; onState: (state: State) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const screen = useRef<Screen>(null);
  const theme = useTheme();
  useEffect(() => {
    const element = box.current!;
    const glass = new Screen({ fontFamily: getComputedStyle(document.documentElement).getPropertyValue('--mono'), fontSize: 13, screenReaderMode: true, theme: coloursOf(element) });
    const fit = new FitAddon();
    glass.loadAddon(fit);
    glass.open(element);
    fit.fit();
    glass.focus();
    screen.current = glass;
    const stop = new AbortController();
    connect(lease, glass, onState, stop.signal).catch((problem: unknown) => {
      if (!stop.signal.aborted) onState({ status: 'refused', problem });
    });
    const resized = new ResizeObserver(() => fit.fit());
    resized.observe(element);
    return () => {
      stop.abort();
      resized.disconnect();
      glass.dispose();
    };
  }, [lease, onState]);
  useEffect(() => {
    if (screen.current && box.current) screen.current.options.theme = coloursOf(box.current);
  }, [theme]);
  return <div className="glass" ref={box} />;
}

/** The console is the one that this page came from: what it sends is not held to a schema once more. */
const asSent: Bodies = { opening: (value) => value as LiveOpening, size: (value) => value as TerminalSize, ending: (value) => value as LiveEnding };

/** Begins a terminal on the host and joins it; until it ends, or the signal comes. */
async function connect(lease: string, glass: Screen, onState: (state: State) => void, signal: AbortSignal): Promise<void> {
  const size = () => ({ columns: glass.cols, rows: glass.rows });
  const { id } = await ask<{ id: string }>(`leases/${lease}/terminal`, { method: 'POST', body: { tty: true, ...size() }, signal });
  const url = new URL(address(`actions/${id}/live`), location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const text = new TextEncoder();
  const end = new LiveEnd((message) => socket.readyState === WebSocket.OPEN && socket.send(message), {
    opened: () => onState({ status: 'open' }),
    data: (_stream, bytes) => new Promise((shown) => glass.write(bytes, shown)),
    ended(ending) {
      socket.close(1000);
      glass.options.disableStdin = true;
      if (!signal.aborted) onState({ status: 'over', ending });
    },
  }, asSent);
  socket.addEventListener('open', () => end.begin({ size: size() }));
  socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => end.receive(new Uint8Array(data)));
  socket.addEventListener('close', ({ reason }) => end.abort({ code: 'gone', message: reason ? `The connection was closed: ${reason}.` : 'The connection to the console was lost, or it does not let you in: open another.' }));
  glass.onData((typed) => void end.write('in', text.encode(typed)));
  glass.onBinary((typed) => void end.write('in', Uint8Array.from(typed, (letter) => letter.charCodeAt(0))));
  glass.onResize(() => end.resize(size()));
  signal.addEventListener('abort', () => end.abort({ code: 'left', message: 'You left the terminal.' }));
}
