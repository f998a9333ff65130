import { expect, test } from 'vitest';
import { parseMetrics } from '../../../../test/support/prometheus.js';
import { Metrics } from './metrics.js';
import { asksForOpenMetrics, openMetrics } from './open-metrics.js';
import { serveMetrics } from './serve.js';

test.each<[string | undefined, boolean]>([
  [undefined, false],
  ['*/*', false],
  ['application/*', false],
  ['text/plain', false],
  ['application/openmetrics-text', true],
  ['application/openmetrics-text; version=1.0.0; charset=utf-8', true],
  ['application/openmetrics-text;version="1.0.0"', true],
  ['application/openmetrics-text;version=0.0.1', false],
  ['application/openmetrics-text;version=2.0.0,text/plain', false],
  ['application/openmetrics-text;q=0', false],
  ['application/openmetrics-text, text/plain', true],
  ['text/plain, application/openmetrics-text;q=0.9', false],
  // What Prometheus 2.49 and 3 send.
  ['application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2', true],
  ['application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2', true],
])('Accept: %s asks for it: %s', (accept, asks) => expect(asksForOpenMetrics(accept)).toBe(asks));

test('one format in the other', () => {
  const text = [
    '# HELP a_total Counts "a" \\\\ and more.', '# TYPE a_total counter', 'a_total{of="x_total 1"} 1', '', '# HELP b Of no total.', '# TYPE b counter', 'b 2', '',
    '# HELP c_total A gauge of that name.', '# TYPE c_total gauge', 'c_total Nan', '', '# HELP d Seconds.', '# TYPE d histogram', 'd_bucket{le="1"} 1', 'd_bucket{le="+Inf"} 1', 'd_sum 1', 'd_count 1', '',
  ].join('\n');
  expect(openMetrics(text).split('\n')).toEqual([
    '# HELP a Counts \\"a\\" \\\\ and more.', '# TYPE a counter', 'a_total{of="x_total 1"} 1', '# HELP b Of no total.', '# TYPE b counter', 'b_total 2',
    '# HELP c_total A gauge of that name.', '# TYPE c_total gauge', 'c_total NaN', '# HELP d Seconds.', '# TYPE d histogram', 'd_bucket{le="1"} 1', 'd_bucket{le="+Inf"} 1', 'd_sum 1', 'd_count 1', '# EOF', '',
  ]);
});

/** What OpenMetrics asks for beyond the other format, and the families with their values. */
function read(text: string): Map<string, { type: string; samples: string[] }> {
  const families = new Map<string, { type: string; samples: string[] }>();
  const lines = text.split('\n');
  expect(lines.slice(-2)).toEqual(['# EOF', '']);
  const suffixes: Record<string, RegExp> = { counter: /_total$/, gauge: /$/, histogram: /_(bucket|sum|count)$/, summary: /(_sum|_count)?$/, unknown: /$/ };
  let name = '';
  for (const line of lines.slice(0, -2)) {
    const [, what, of, rest] = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line) ?? [];
    if (what === 'HELP') {
      expect([line, families.has(of!)]).toEqual([line, false]);
      expect(rest).not.toMatch(/(^|[^\\])"/);
      families.set((name = of!), { type: '', samples: [] });
    } else if (what === 'TYPE') {
      expect([of, rest! in suffixes]).toEqual([name, true]);
      families.get(name)!.type = rest!;
    } else {
      const { type, samples } = families.get(name)!;
      const [, sample] = /^([a-zA-Z_:][\w:]*)(?:\{[^\n]*\})? (?:[+-]?Inf|NaN|[-+0-9.e]+)$/.exec(line) ?? [];
      expect([line, sample?.replace(suffixes[type]!, '')]).toEqual([line, name]);
      samples.push(line);
    }
  }
  return families;
}

test('a process tells the same in both, whoever asked for which first', async () => {
  const metrics = new Metrics().watchProcess();
  metrics.buried.inc({ service: 'lease', type: 'A "quoted" one' }, 3);
  metrics.commandDuration.observe({ service: 'lease', type: 'X' }, 0.002);
  const server = await serveMetrics(metrics, 0);
  const get = async (accept?: string) => {
    const response = await fetch(`http://127.0.0.1:${server.port}/metrics`, accept === undefined ? {} : { headers: { Accept: accept } });
    return { type: response.headers.get('content-type'), vary: response.headers.get('vary'), text: await response.text() };
  };
  try {
    const open = await get('application/openmetrics-text');
    const plain = await get();
    const again = await get('application/openmetrics-text;version=1.0.0');
    expect([open.type, open.vary, plain.type, again.type]).toEqual(['application/openmetrics-text; version=1.0.0; charset=utf-8', 'Accept', 'text/plain; version=0.0.4; charset=utf-8', open.type]);
    const families = read(open.text);
    expect(read(again.text).get('berth_dead_letters')).toEqual({ type: 'counter', samples: ['berth_dead_letters_total{service="lease",type="A \\"quoted\\" one"} 3'] });
    const told = [...parseMetrics(plain.text).values()];
    expect(told.length).toBeGreaterThan(20);
    // How many resources Node has differs from one moment to the next.
    const count = (name: string, samples: readonly unknown[]) => (name.startsWith('nodejs_active') ? 'some' : samples.length);
    expect(told.map(({ name, type, samples }) => [type === 'counter' ? name.replace(/_total$/, '') : name, type, count(name, samples)])).toEqual([...families].map(([name, { type, samples }]) => [name, type, count(name, samples)]));
  } finally {
    await server.stop();
  }
});
