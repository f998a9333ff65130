import type { ActionSpec } from '@berth/contracts';
import type { ActionHandler } from './action.js';
import { findAll, keep } from './keep.js';
import { moving } from './moving.js';

/** Keeps files of the lease's folder as artifacts. What is kept again after a restart has the same content under the same name. */
export const upload: ActionHandler<Extract<ActionSpec, { kind: 'upload' }>> = (context) =>
  moving(context, async (files) => {
    const { spec } = context;
    const found = await findAll(files, spec);
    return { artifacts: await files.each(found, (file) => keep(context, files, file, spec.prefix, spec.maxBytes)) };
  });
