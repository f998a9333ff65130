import { wanted } from '../accept.js';

const TYPE = 'application/openmetrics-text';
export const OPEN_METRICS = `${TYPE}; version=1.0.0; charset=utf-8`;

/** Whether somebody names OpenMetrics 1.0, and wants it no less than the format of Prometheus. One who names another version of it does not. */
export function asksForOpenMetrics(accept: string | undefined): boolean {
  if (accept === undefined || wanted(accept, TYPE) === 0 || wanted(accept, TYPE) < wanted(accept, 'text/plain')) return false;
  const versions = accept.toLowerCase().split(',').flatMap((one) => {
    const [range, ...parameters] = one.split(';').map((part) => part.trim());
    return range === TYPE ? [parameters.find((parameter) => parameter.startsWith('version='))?.slice(8).replaceAll('"', '')] : [];
  });
  return versions.some((version) => version === undefined || version === '1.0.0');
}

/**
 * Pure: the format of Prometheus 0.0.4, as prom-client writes it, in that of OpenMetrics 1.0. prom-client can write it itself, but
 * renames the counters of the registry for good when it does, so that nobody could have the other format after that.
 */
export function openMetrics(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '');
  // HELP comes before the TYPE that says whether it is a counter.
  const counters = new Set(lines.flatMap((line) => /^# TYPE (\S+) counter$/.exec(line)?.[1] ?? []));
  const family = (name: string) => (counters.has(name) ? name.replace(/_total$/, '') : name);
  const told = lines.map((line) => {
    const [, what, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (what === 'HELP') return `# HELP ${family(name!)} ${rest!.replaceAll('"', '\\"')}`;
    if (what === 'TYPE') return `# TYPE ${family(name!)} ${rest === 'untyped' ? 'unknown' : rest}`;
    const sample = /^[^\s{]+/.exec(line)![0];
    return (counters.has(sample) && !sample.endsWith('_total') ? `${sample}_total${line.slice(sample.length)}` : line).replace(/ Nan$/, ' NaN');
  });
  return `${[...told, '# EOF'].join('\n')}\n`;
}
