import { expect, test } from 'vitest';
import { parseMetrics } from '../../../../test/support/prometheus.js';
import { scripted } from '../scripted.testing.js';

test('with BERTH_METRICS_OPEN whoever reaches the console may read its metrics, and nothing else', async () => {
  const { berth } = await scripted({ metricsOpen: true });
  const { url } = berth.access;
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  expect(parseMetrics(await response.text()).get('berth_lease_wait_seconds')?.type).toBe('histogram');
  expect((await fetch(`${url}/api/v1/leases`)).status).toBe(401);

  const open = await fetch(`${url}/metrics`, { headers: { Accept: 'application/openmetrics-text; version=1.0.0, text/plain; q=0.5' } });
  expect([open.status, open.headers.get('content-type'), open.headers.get('vary')]).toEqual([200, 'application/openmetrics-text; version=1.0.0; charset=utf-8', 'Accept']);
  const text = await open.text();
  expect(text).toMatch(/\n# EOF\n$/);
  expect(text).toContain('# TYPE berth_dead_letters counter\n');
  expect((await fetch(`${url}/metrics`, { headers: { Accept: 'application/json' } })).status).toBe(406);
});
