import type { UsageView } from '@berth/client';

/** A table as CSV (RFC 4180), with a heading for each column. */
export function csv(headings: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  return [headings, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  // A spreadsheet takes text that begins so for a formula: names come from whoever asked for a lease.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A report of usage, a line for each key in each span of time. */
export function usageCsv({ by, items }: UsageView): string {
  const currencies = [...new Set(items.flatMap(({ cost }) => Object.keys(cost)))].sort();
  return csv(
    ['from', 'to', by, 'host_hours', 'share', 'leases', 'queue_p50_ms', 'queue_p90_ms', 'queue_p99_ms', 'builds', 'passed', 'failed', 'aborted', 'errors', ...currencies.map((currency) => `cost_${currency}`)],
    items.map(({ from, to, key, hostHours, share, leases, queueMs, builds, cost }) => [
      from, to, key, hostHours, share, leases, queueMs?.p50 ?? null, queueMs?.p90 ?? null, queueMs?.p99 ?? null, builds.ended, builds.passed, builds.failed, builds.aborted, builds.errors,
      ...currencies.map((currency) => cost[currency] ?? null),
    ]),
  );
}
