import { describe, expect, it } from 'vitest';
import { exitText } from './exit-text.js';
import { parseOutputs } from './outputs.js';

describe('what a command tells as its outputs', () => {
  it.each([
    ['', {}],
    ['A=1\n', { A: '1' }],
    ['A=1\r\nB=x = y', { A: '1', B: 'x = y' }],
    ['\n  \n_a1=\n', { _a1: '' }],
    ['A=1\nA=2\n', { A: '2' }],
    ['A=<<no\nB=ü $(x) "\'\n', { A: '<<no', B: `ü $(x) "'` }],
    ['A<<EOF\none\n\ntwo=2\nEOF\nB=3\n', { A: 'one\n\ntwo=2', B: '3' }],
    ['A<<=\n=\n', { A: '' }],
    ['A<<E\r\none\r\nE\r\n', { A: 'one' }],
    [`${'N'.repeat(64)}=x`, { ['N'.repeat(64)]: 'x' }],
  ])('reads %j', (text, outputs) => {
    expect(parseOutputs(Buffer.from(text))).toEqual({ ok: true, outputs });
  });

  it.each([
    ['A=1\nnonsense\n', 'line 2 of what was written to $BERTH_OUTPUT is neither NAME=VALUE nor NAME<<END'],
    ['1A=x', 'line 1 '],
    ['A B=x', 'line 1 '],
    [`${'N'.repeat(65)}=x`, 'line 1 '],
    ['A=1\nB<<EOF\nx\nEOF \n', 'line 2 of what was written to $BERTH_OUTPUT begins a value that does not end; write EOF'],
    ['A<<\nx\n', 'line 1 of what was written to $BERTH_OUTPUT names no end'],
    ['A=x\0y', 'has a NUL'],
    [Array.from({ length: 101 }, (_, index) => `A${index}=x`).join('\n'), 'line 101 of what was written to $BERTH_OUTPUT is one name too many'],
    [`A=${'x'.repeat(65_536)}`, 'more than 65536 bytes'],
  ])('says in which line %j is wrong', (text, error) => {
    expect(parseOutputs(Buffer.from(text))).toEqual({ ok: false, error: expect.stringContaining(error) });
  });

  it('reads what programs of Windows write', () => {
    expect(parseOutputs(Buffer.from('\ufeffA=ü\r\nB<<E\r\n😀\r\nE\r\n', 'utf16le'))).toEqual({ ok: true, outputs: { A: 'ü', B: '😀' } });
    expect(parseOutputs(Buffer.from('\ufeffA=ü\r\n'))).toEqual({ ok: true, outputs: { A: 'ü' } });
  });

  it('takes text alone', () => {
    expect(parseOutputs(Buffer.from([0x41, 0x3d, 0xff]))).toEqual({ ok: false, error: expect.stringContaining('line 1') });
    expect(parseOutputs(Buffer.from('A=\ufffd'))).toEqual({ ok: true, outputs: { A: '\ufffd' } });
  });
});

describe('what is said of an exit code', () => {
  const about = { tail: '', full: false, host: { id: 'mac-1', folder: '~/.berth-host' } };

  it.each([
    [1, 'exit code 1'],
    [126, 'exit code 126: a command was found and could not be run; make it executable (chmod +x) and see that it is made for this host'],
    [127, 'exit code 127: a command was not found; install it on the host or ask for a host that has it'],
    [128, 'exit code 128'],
    [137, 'exit code 137: it was ended by SIGKILL, from outside: often the host had no memory left'],
    [139, 'exit code 139: it was ended by SIGSEGV: the program crashed'],
    [255, 'exit code 255'],
  ])('%i', (code, text) => {
    expect(exitText(code, about)).toBe(text);
  });

  it.each([
    [1, 'exit code 1'],
    [137, 'exit code 137'],
    [9009, 'exit code 9009: a command was not found; install it on the host or ask for a host that has it'],
    [-1073741819, 'exit code -1073741819: the program crashed (access violation)'],
    [-1073741510, 'exit code -1073741510: it was ended by CTRL+C or CTRL+BREAK'],
  ])('%i on Windows', (code, text) => {
    expect(exitText(code, { ...about, host: { ...about.host, platform: 'windows' } })).toBe(text);
  });

  it('names a disk that is full when that is known', () => {
    expect(exitText(1, { ...about, tail: 'cp: error writing: No space left on device' })).toBe('exit code 1: a disk of host mac-1 was full; free some room there or ask for a host with more');
    expect(exitText(2, { ...about, full: true })).toBe('exit code 2: host mac-1 could not keep all that it printed; see that the disk of ~/.berth-host/actions there has room left');
  });
});
