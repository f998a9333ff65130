/** One family of a text in Prometheus' exposition format 0.0.4. */
export interface Family {
  name: string;
  type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';
  help: string;
  samples: Sample[];
}
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
const suffixes: Record<Family['type'], readonly string[]> = { counter: [''], gauge: [''], untyped: [''], histogram: ['_bucket', '_sum', '_count'], summary: ['', '_sum', '_count'] };

/**
 * Reads the format as strictly as it is defined.
 * @throws Error with the line that breaks a rule
 */
export function parseMetrics(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let current: Partial<Family> & { samples: Sample[] } = { samples: [] };
  const broken = (line: string, why: string): never => {
    throw new Error(`${why}: ${line}`);
  };
  if (!text.endsWith('\n')) broken(text.slice(-80), 'the last line must end with a line feed');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment) {
      const [, what, name, rest] = comment as unknown as [string, string, string, string];
      if (!NAME.test(name)) broken(line, 'no name of a metric');
      if (what === 'HELP') {
        if (families.has(name)) broken(line, 'a family comes twice');
        current = { name, help: rest, samples: [] };
      } else {
        if (current.name !== name || current.type) broken(line, 'TYPE must follow the HELP of its family, once');
        if (!(rest in suffixes)) broken(line, 'no type');
        current.type = rest as Family['type'];
        families.set(name, current as Family);
      }
      continue;
    }
    if (line.startsWith('#')) continue;
    const [, name = '', , labels, value = ''] = /^([^\s{]+)(\{(.*)\})? (\S+)$/.exec(line) ?? broken(line, 'no sample');
    const { type } = current;
    if (!type || !suffixes[type].some((suffix) => name === current.name + suffix)) broken(line, 'a sample that does not belong to the family above it');
    const sample: Sample = { name, labels: readLabels(labels ?? '', () => broken(line, 'labels')), value: numberOf(value) };
    if (Number.isNaN(sample.value) && !/^nan$/i.test(value)) broken(line, 'no number');
    const key = `${name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(key)) broken(line, 'a sample comes twice');
    seen.add(key);
    if (type !== 'gauge' && type !== 'untyped' && sample.value < 0) broken(line, 'must not be negative');
    current.samples.push(sample);
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family);
  return families;
}

function readLabels(text: string, broken: () => never): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  for (let at = 0; at < text.length; at = LABEL.lastIndex) {
    const [, name, value] = LABEL.exec(text) ?? broken();
    if (Object.hasOwn(labels, name!)) broken();
    labels[name!] = value!.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
  }
  return labels;
}

const numberOf = (text: string): number => (text === '+Inf' ? Number.POSITIVE_INFINITY : text === '-Inf' ? Number.NEGATIVE_INFINITY : text === 'Nan' ? Number.NaN : Number(text));

/** Buckets grow, the last is +Inf, and it is the count. */
function checkHistogram({ name, samples }: Family): void {
  const series = new Map<string, { le: number; value: number }[]>();
  const key = ({ le: _le, ...labels }: Record<string, string>) => JSON.stringify(Object.entries(labels).sort());
  for (const sample of samples) {
    if (sample.name !== `${name}_bucket`) continue;
    const own = series.get(key(sample.labels)) ?? [];
    series.set(key(sample.labels), [...own, { le: numberOf(sample.labels['le'] ?? ''), value: sample.value }]);
  }
  for (const [labels, buckets] of series) {
    const sorted = buckets.every((bucket, i) => i === 0 || (bucket.le > buckets[i - 1]!.le && bucket.value >= buckets[i - 1]!.value));
    const count = samples.find((sample) => sample.name === `${name}_count` && key(sample.labels) === labels)?.value;
    if (!sorted || buckets.at(-1)?.le !== Number.POSITIVE_INFINITY || buckets.at(-1)?.value !== count) throw new Error(`${name} ${labels} is no histogram: ${JSON.stringify(buckets)}, count ${count}`);
  }
}
