import type { Command } from 'commander';
import { styleText } from 'node:util';
import { runChecks, type DoctorFinding } from '@berth/client';
import { leaf, type Context } from '../context.js';
import { ofFolder } from '../doctor/folder.js';
import { ofMachine } from '../doctor/machine.js';
import { placeOf } from '../doctor/place.js';
import { ofServices } from '../doctor/services.js';
import { Exit, FAILED } from '../failure.js';
import { printable } from '../text.js';

const colours = { ok: 'green', warning: 'yellow', failed: 'red' } as const;

/** `berth doctor` */
export function doctorCommand(program: Command, context: Context): void {
  leaf(program, 'doctor', 'what is wrong with an installation, and the way out of each').action(async () => {
    const place = placeOf(context.io.env, context.io.cwd);
    const checks = await runChecks([...ofMachine(place), ...ofFolder(place), ...ofServices(place)]);
    const worst = checks.some(({ status }) => status === 'failed') ? 'failed' : checks.some(({ status }) => status === 'warning') ? 'warning' : 'ok';
    context.result({ status: worst, checks }, () => [...checks.map((finding) => shown(finding, context.colour)), summary(checks)].join('\n'));
    if (worst === 'failed') throw new Exit(FAILED);
  });
}

function shown({ check, status, message, hint }: DoctorFinding, colour: boolean): string {
  const word = status.padEnd(7);
  const line = `${colour ? styleText(colours[status], word) : word}  ${printable(check)}: ${printable(message)}`;
  return hint === null ? line : `${line}\n         ${printable(hint)}`;
}

function summary(checks: readonly DoctorFinding[]): string {
  const count = (status: DoctorFinding['status']) => checks.filter((one) => one.status === status).length;
  return `${count('ok')} ok, ${count('warning')} ${count('warning') === 1 ? 'warning' : 'warnings'}, ${count('failed')} failed`;
}
