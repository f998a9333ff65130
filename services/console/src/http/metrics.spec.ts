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
});
