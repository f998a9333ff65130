import { z } from 'zod';

/** A query of attributes, such as `arch == "x86_64" && os.version >= 12`, as text. Its grammar: see `attribute-query.ts`. */
export const objectQuery = z.string().min(1).max(2048);
