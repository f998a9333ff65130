import { ec2 } from './ec2.js';
import { mock } from './mock.js';
import { oci } from './oci.js';
import { raw } from './raw.js';
import type { Targets } from './target.js';

/** Every way to build an image, by its name. */
export const targets = { raw, oci, ec2, mock } satisfies Targets;
