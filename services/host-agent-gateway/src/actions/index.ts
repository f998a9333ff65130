import type { ActionKind, ActionSpec } from '@berth/contracts';
import type { ActionHandler } from './action.js';
import { checkout } from './checkout.js';
import { download } from './download.js';
import { forward } from './forward.js';
import { getFile } from './get-file.js';
import { makeFolderInside } from './make-folder.js';
import { prepareWorkingCopy } from './prepare-working-copy.js';
import { putFile } from './put-file.js';
import { readReport } from './read-report.js';
import { removeFile } from './remove-file.js';
import { removeWorkingCopy } from './remove-working-copy.js';
import { restartService } from './restart-service.js';
import { runCommand } from './run-command.js';
import { startService } from './start-service.js';
import { stopService } from './stop-service.js';
import { upload } from './upload.js';
import { terminal } from './terminal.js';

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
  terminal,
  forward,
  'remove-file': removeFile,
  'make-folder': makeFolderInside,
  'restart-service': restartService,
} as const satisfies { [K in ActionKind]: ActionHandler<Extract<ActionSpec, { kind: K }>> };
