import { connect } from 'nats';
import { startService } from '@berth/runtime';
import { leaseService } from '@berth/lease';
import { allocatorService } from '@berth/allocator';
import { randomUUID } from 'node:crypto';
const url = 'nats://127.0.0.1:14222';
const config = { home: '/tmp/smoke', httpPort: 0, natsUrl: url, databaseUrl: '', logLevel: 'warn' };
const fail = (e) => { console.error('FAIL', e); process.exit(1); };
const nc = await connect({ servers: url });
const SL = Number(process.argv[2] ?? 50);
nc.subscribe('berth.cmd.host-agent-gateway.ProbeHost', { callback: (e, m) => m.respond(JSON.stringify({ accepted: true, id: 'x', data: { hostKey: '', facts: { os: 'linux', cpus: String(SL) } } })) });
const s = [await startService(leaseService, config, fail), await startService(allocatorService, config, fail)];
await new Promise(r => setTimeout(r, 300));
const waits = new Map();
nc.subscribe('berth.status.lease.*', { callback: (e, m) => { const d = m.json().data; const w = waits.get(d.id + d.status); if (w) { waits.delete(d.id + d.status); w(); } } });
const on = (id, st) => new Promise(r => waits.set(id + st, r));
const cmd = async (type, data, id = randomUUID()) => { const r = (await nc.request('berth.cmd.lease.' + type, JSON.stringify({ id, type, data }), { timeout: 5000 })).json(); if (!r.accepted) throw new Error(JSON.stringify(r)); };
async function cycle() { const id = randomUUID(); const a = on(id, 'active'); const t = performance.now(); void cmd('RequestLease', { type: 'host' }, id); await a; const l = performance.now() - t; const d = on(id, 'destroyed'); void cmd('ReleaseLease', { lease: id }); await d; return l; }
for (let i = 0; i < 50; i++) await cycle();
const q = (a, p) => a.sort((x, y) => x - y)[Math.floor(a.length * p)].toFixed(2);
let a = []; for (let i = 0; i < 500; i++) a.push(await cycle());
console.log('lease active p50', q(a, .5), 'p99', q(a, .99));
for (const N of [4, 50]) { const t = performance.now(); let n = 0; const lat = []; const end = Date.now() + 4000; await Promise.all(Array.from({ length: N }, async () => { while (Date.now() < end) { lat.push(await cycle()); n++; } })); console.log(N, 'requesters: cycles/s', Math.round(n / (performance.now() - t) * 1000), 'p50', q(lat, .5), 'p99', q(lat, .99)); }
for (const x of s) await x.stop(); await nc.close();
