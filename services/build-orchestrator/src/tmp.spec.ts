import { test } from 'vitest';
import { readPlan } from './adapters/plan-yaml.js';
const base = 'name: p\n';
test('x', () => {
  for (const s of [
    'name: p\nsteps:\n  - name: A\n    runn: x\n', base, 'name: p\nsteps: []', 'name: p\nsteps:\n  - name: A\n    run: x\n  - name: B\n    uses: upload-artefact\n    with: {path: a}',
    'name: p\nname: q\nsteps:\n  - {name: A, run: x, timout: 5m}\n  - nonsense\n  - {run: x}\n  - {name: C, run: x, uses: y}\n  - {name: U, uses: upload-artifact, with: {path: ../x, nam: 3}}',
    'name: p\nsteps: [{name: A, run: x, timeout: 10}, {name: B, run: x, timeout: 8d}, {name: C, run: }, {name: D}, {name: 5, run: 3}]', '', '- a', 'a: b: c', '\tx: 1', 'name: p\nenv: {1A: x, B: [1], __proto__: 3}\nhost: {os: linux, "": 3, big: {}}\nsteps: [{name: A, run: x}]',
    'a: *x', 'a: &a [1,2,3,4,5,6,7,8,9]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]', 'name: &a [*a]', 'x: !foo 3', 'a: 1\n---\nb: 1', '? [a]\n: 1', '['.repeat(200000), '- '.repeat(100000), '{a: '.repeat(50000),'a: "x\n', 'name: p\nsteps: [{name: A, uses: upload-artifact, with: {path: a/b}},{name: A, uses: upload-artifact, with: {path: c/b/}},{name: A, uses: upload-artifact, with: {path: "."}},{name: A, uses: run-command}, {name: A, uses: upload-artifact}]', 'name: a b\nhosts: {os: l}\nworkingcopy: {}\nworkingCopy: {repo: x, ref: "--x"}\nenviroment: {}\nsteps: {}', 'name: p\nsteps: [{name: A, uses: upload-artifact, with: {path: a/b}},{name: A, uses: upload-artifact, with: {path: c/b/}},{name: A, uses: upload-artifact, with: {path: ".", name: x}}]', 'name: p\r\nenv: {A: 1, B: true}\r\nsteps: [{name: A, run: x, timeout: 1h}]', 'name: p\nsteps: [{name: A, run: x}]\nenv: {1: x, a: '+'x'.repeat(300000)+'}',
    'name: p\nsteps:\n' + '  - {nam: A}\n'.repeat(600),
  ]) { const t=performance.now(); const r = readPlan(s); console.log(JSON.stringify(s.slice(0,150)), Math.round(performance.now()-t),'ms'); const o='accepted' in r ? {...r, errors: r.errors.slice(0,12).concat(r.errors.length>12?r.errors.slice(-1):[])} : r; console.log(JSON.stringify(o, null, 1).slice(0,3000)); }
});
