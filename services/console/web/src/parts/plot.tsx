import './plot.css';
import { stamp } from '../ui/time';

const HEIGHT = 100;

/** One stretch of time: how much was used, and of how much, where that is known. */
export interface Stretch {
  from: string;
  to: string;
  there?: number;
  used: number;
}

/** What was used, and of how much, a column for each stretch of time. `chosen`: a time that is marked. */
export function Plot({ label, of, unit, chosen }: { label: string; of: readonly Stretch[]; unit: string; chosen?: number | undefined }) {
  const first = of[0];
  const last = of.at(-1);
  if (!first || !last) return null;
  const top = Math.max(...of.flatMap(({ there = 0, used }) => [there, used]), Number.MIN_VALUE);
  const height = (value: number): number => (HEIGHT * 0.94 * value) / top;
  const [begin, end] = [Date.parse(first.from), Date.parse(last.to)];
  const at = chosen === undefined ? undefined : (of.length * (chosen - begin)) / (end - begin);
  const said = ({ there, used }: Pick<Stretch, 'there' | 'used'>): string => `${amount(used)}${there === undefined ? '' : ` of ${amount(there)}`} ${unit}`;
  const most = of.reduce((best, one) => (one.used > best.used ? one : best));
  return (
    <div>
      <svg className="plot" viewBox={`0 0 ${of.length} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${label}: at most ${said(most)}, from ${stamp(first.from)} to ${stamp(last.to)}`}>
        {of.map(({ from, there, used }, i) => (
          <g key={from}>
            <title>{`${stamp(from)}: ${said({ used, ...(there !== undefined && { there }) })}`}</title>
            {there !== undefined && <rect className="there" x={i + 0.06} width={0.88} y={HEIGHT - height(there)} height={height(there)} />}
            <rect className="used" x={i + 0.06} width={0.88} y={HEIGHT - height(used)} height={height(used)} />
          </g>
        ))}
        {at !== undefined && <line className="chosen" x1={at} x2={at} y1={0} y2={HEIGHT} />}
      </svg>
      <div className="plot-scale"><span>{stamp(first.from)}</span><span>{top > Number.MIN_VALUE && `the highest column: ${amount(top)} ${unit}`}</span><span>{stamp(last.to)}</span></div>
    </div>
  );
}

const amount = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(2));
