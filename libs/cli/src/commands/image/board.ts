import type { Command } from 'commander';
import type { BoardCell, ImageBoard } from '@berth/client';
import { leaf, type Context } from '../../context.js';
import { facts, table } from '../../text.js';
import { asked } from './refused.js';

/** `berth image board` */
export function boardCommand(image: Command, context: Context): void {
  leaf(image, 'board <image>', 'what is built and pushed of an image, for which accounts, and what can be done').action(async (name: string) => {
    const board = await asked(context, context.berth.images.board(name), { named: name });
    context.result(board, () => shown(board, context.colour));
  });
}

/** A version with one account. */
interface Row {
  version: ImageBoard['versions'][number];
  account: ImageBoard['accounts'][number];
  cell: BoardCell;
}

function shown({ image, environment, accounts, versions, buildAll, pushAll }: ImageBoard, colour: boolean): string {
  const name = (number: number | null) => (number === null ? 'none yet' : `${image}@${number}`);
  const rows = versions.flatMap((version) => version.cells.map((cell, i): Row => ({ version, account: accounts[i]!, cell })));
  const head = facts([
    ['image', image],
    ['environment', environment],
    ['accounts', accounts.length === 0 ? 'none: save one with `berth image account set FILE`' : null],
  ]);
  const board = table(
    rows,
    [
      ['VERSION', (r) => name(r.version.number)],
      ['CHANNELS', (r) => r.version.channels.join(', ')],
      ['ACCOUNT', (r) => r.account.account],
      ['REGION', (r) => r.account.region],
      ['TARGET', (r) => r.account.target],
      ['STATE', (r) => r.cell.state],
      ['DONE', (r) => (r.cell.percent === null ? null : `${r.cell.percent}%`)],
      ['FAILED', (r) => r.cell.failed],
      ['ID', (r) => r.cell.id],
      ['OFFER', (r) => r.cell.offer],
      ['ACTIVITY', (r) => r.cell.error ?? r.cell.activity],
    ],
    { colour },
  );
  const toPush = versions.find(({ version }) => version === pushAll);
  const offers = [
    buildAll ? `Build all: \`berth image build-all ${image}\`` : '',
    toPush && toPush.number !== null ? `Push all: \`berth image push ${image}@${toPush.number} --all\`` : '',
  ].filter(Boolean).join('\n');
  return [head, rows.length > 0 ? board : '', offers].filter(Boolean).join('\n\n');
}
