import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { boardCommand } from './board.js';
import { buildCommands } from './build.js';
import { catalogueCommands } from './catalogue.js';
import { channelCommands } from './channel.js';
import { deleteCommand } from './delete.js';
import { lifeCommands } from './life.js';
import { lineageCommands } from './lineage.js';
import { listCommand } from './list.js';
import { pushCommands } from './push.js';
import { statusCommand } from './status.js';
import { templateCommands } from './template.js';
import { warehouseCommands } from './warehouse.js';

/** `berth image …` */
export function imageCommands(program: Command, context: Context): void {
  const image = program.command('image').description('images: built from templates, pushed to providers, offered by channels');
  for (const add of [listCommand, templateCommands, buildCommands, pushCommands, statusCommand, boardCommand, deleteCommand, channelCommands, lifeCommands, lineageCommands, catalogueCommands, warehouseCommands]) add(image, context);
}
