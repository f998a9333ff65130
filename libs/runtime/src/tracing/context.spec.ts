import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { readEnvironment, traceSettings } from '../config.js';
import { beginTracing, currentTrace, noteTrace, traceId, traceOf, traceOfCommit, within } from './context.js';
import { openTracing } from './tracing.js';

const trace = (n: number) => `00-${String(n).padStart(32, '0')}-${String(n).padStart(16, '0')}-01`;

// Traces are on in this process from here on: what is loaded of them is not left to other files.
afterAll(() => void vi.resetModules());

describe('by default', () => {
  test('there are no traces: what runs in one just runs', async () => {
    expect(traceSettings(readEnvironment({}))).toEqual({});
    expect(await openTracing('lease', {})).toBeUndefined();
    expect(within(trace(1), () => currentTrace())).toBeUndefined();
  });

  test('none of the SDK is loaded', { timeout: 60_000 }, async () => {
    const runtime = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
    const script = `const { openTracing } = await import(${JSON.stringify(runtime)}.replace('index', 'tracing/tracing'));
      await import(${JSON.stringify(runtime)});
      await openTracing('lease', {});
      const { Module } = await import('node:module');
      console.log(Object.keys(Module._cache).filter((path) => /opentelemetry.(sdk|exporter|otlp)/.test(path)).length);
      await openTracing('lease', { traces: 'http://127.0.0.1:9/v1/traces' });
      console.log(Object.keys(Module._cache).filter((path) => /opentelemetry.(sdk|exporter|otlp)/.test(path)).length > 0);
      process.exit();`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout.trim().split('\n')).toEqual(['0', 'true']);
  });
});

test.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' }, 'http://collector:4318/v1/traces'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://other/t' }, 'https://other/t'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_SDK_DISABLED: 'true' }, undefined],
])('%j: traces go to %s', (env, url) => expect(traceSettings(readEnvironment(env)).traces).toBe(url));

test('a collector that is no URL is told with every other fault', () => {
  expect(() => readEnvironment({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' })).toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT.*http:\/\/127\.0\.0\.1:4318/);
});

describe('once they are on', () => {
  test('what runs in a trace, and all that it begins, is in it, and nothing else is', async () => {
    beginTracing();
    const later = within(trace(1), async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return currentTrace();
    });
    expect(currentTrace()).toBeUndefined();
    expect(await later).toBe(trace(1));
    expect(traceId(trace(1))).toBe('0'.repeat(31) + '1');
  });

  test('a commit of a command is in the command\'s trace, one that follows in that of its thing', () => {
    beginTracing();
    noteTrace('lease', trace(2));
    noteTrace('lease', trace(3)); // it began in the first
    expect(traceOf('lease')).toBe(trace(2));
    expect(within(trace(9), () => traceOfCommit('lease'), false)).toBe(trace(9));
    expect(within(trace(9), () => traceOfCommit('lease'), true)).toBe(trace(2));
    // It stays so in what is begun within.
    expect(within(trace(9), () => within(trace(8), () => traceOfCommit('lease')), true)).toBe(trace(2));
    expect(within(trace(9), () => traceOfCommit('new'), true)).toBe(trace(9));
    expect(traceOfCommit('lease')).toBe(trace(2));
    expect(traceOfCommit('new')).toBeUndefined();
  });

  test('so many things are remembered and no more', () => {
    for (let i = 0; i < 20_001; i++) noteTrace(`thing ${i}`, trace(i));
    expect(traceOf('lease')).toBeUndefined();
    expect(traceOf('thing 20000')).toBe(trace(20_000));
  });
});
