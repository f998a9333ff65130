import { useCallback, useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { heightOf, isScaled, offsetOf, ROW, scrollTopOf, seenAt } from './scroll';

interface ViewportProps {
  label: string;
  rows: number;
  /** stays at the end while it grows */
  follow: boolean;
  onFollow: (follow: boolean) => void;
  /** brought into the middle whenever this is another object */
  reveal: { row: number } | undefined;
  children: (from: number, to: number) => ReactNode;
}

/** A box of many rows of the same height, of which those that are seen are in the page. */
export function Viewport({ label, rows, follow, onFollow, reveal, children }: ViewportProps) {
  const box = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(600);
  const [offset, setOffset] = useState(0);
  /** where the bar was left by us: its event tells nothing new */
  const own = useRef<number>(undefined);
  const last = useRef(0);
  const view = { rows, height };

  useLayoutEffect(() => {
    const watcher = new ResizeObserver(() => setHeight(box.current!.clientHeight));
    watcher.observe(box.current!);
    return () => watcher.disconnect();
  }, []);

  const moveTo = useCallback((to: number): void => {
    const its = { rows, height };
    const top = scrollTopOf(its, to);
    box.current!.scrollTop = top;
    own.current = last.current = box.current!.scrollTop;
    setOffset(Math.min(Math.max(to, 0), Math.max(0, rows * ROW - height)));
  }, [rows, height]);

  useLayoutEffect(() => {
    if (follow) moveTo(Infinity);
  }, [follow, moveTo]);
  const revealed = useRef<object>(undefined);
  useLayoutEffect(() => {
    if (!reveal || revealed.current === reveal) return;
    revealed.current = reveal;
    moveTo(reveal.row * ROW - height / 2);
  }, [reveal, moveTo, height]);

  // Rows beyond what a bar can tell apart are gone through one by one.
  const wheel = useRef<(event: WheelEvent) => void>(() => undefined);
  useEffect(() => {
    wheel.current = (event) => {
      if (!isScaled({ rows, height }) || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      if (event.deltaY < 0) onFollow(false);
      moveTo(offset + (event.deltaMode === 1 ? ROW : 1) * event.deltaY);
    };
  });
  useEffect(() => {
    const its = box.current!;
    const turned = (event: WheelEvent): void => wheel.current(event);
    its.addEventListener('wheel', turned, { passive: false });
    return () => its.removeEventListener('wheel', turned);
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowDown: ROW, ArrowUp: -ROW, PageDown: height - ROW, PageUp: ROW - height }[event.key];
    if (by === undefined || event.target !== box.current || !isScaled(view)) return;
    event.preventDefault();
    if (by < 0) onFollow(false);
    moveTo(offset + by);
  };
  const onScroll = (): void => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!;
    const up = scrollTop < last.current - 1;
    last.current = scrollTop;
    if (own.current !== undefined && Math.abs(scrollTop - own.current) < 1) return;
    own.current = undefined;
    setOffset(offsetOf(view, scrollTop));
    // A box that gets taller is moved up by the browser, and is at its end all the same: nobody has scrolled away.
    if (scrollTop + clientHeight >= scrollHeight - 2) onFollow(true);
    else if (up) onFollow(false);
  };

  const [from, to] = seenAt(view, offset);
  return (
    <div className="log-box" ref={box} onScroll={onScroll} onKeyDown={onKeyDown} tabIndex={0} role="region" aria-label={label}>
      <div className="log-space" style={{ height: heightOf(view) }}>
        <div className="log-rows" style={{ transform: `translateY(${scrollTopOf(view, offset) + from * ROW - Math.min(offset, Math.max(0, rows * ROW - height))}px)` }}>{children(from, to)}</div>
      </div>
    </div>
  );
}
