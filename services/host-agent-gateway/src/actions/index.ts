import type { ActionKind, ActionSpec } from '@berth/contracts';
import type { ActionHandler } from './action.js';
import { checkout } from './checkout.js';
import { download } from './download.js';
import { getFile } from './get-file.js';
import { prepareWorkingCopy } from './prepare-working-copy.js';
import { putFile } from './put-file.js';
import { readReport } from './read-report.js';
import { removeWorkingCopy } from './remove-working-copy.js';
import { runCommand } from './run-command.js';
import { startService } from './start-service.js';
import { stopService } from './stop-service.js';
import { upload } from './upload.js';

/** Every kind of action: one file, one line. */
export const actions = {
  'run-command': runCommand,
  'put-file': putFile,
  'get-file': getFile,
  'prepare-working-copy': prepareWorkingCopy,
  'remove-working-copy': removeWorkingCopy,
  'start-service': startService,
  'stop-service': stopService,
  checkout,
  upload,
  download,
  'read-report': readReport,
} as const satisfies { [K in ActionKind]: ActionHandler<Extract<ActionSpec, { kind: K }>> };
