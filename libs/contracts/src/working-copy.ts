import { z } from 'zod';

const repository = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^[^-\0\n][^\0\n]*$/, 'use a URL or an absolute path that does not start with "-"')
  .describe('Git URL, `user@host:path`, or an absolute path on the host');
const ref = z
  .string()
  .max(256)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._/@+-]*$/, 'use a branch, a tag or a commit')
  .describe('branch, tag or commit; the default branch when absent');

/** What a working copy is made from. Without a repository it is an empty folder. */
export const workingCopySpec = z.object({
  repository: repository.optional(),
  ref: ref.optional(),
  also: z
    .record(
      z
        .string()
        .max(512)
        .regex(/^(?!.*(?:^|\/)\.{1,2}(?:\/|$))(?!\.git(?:\/|$))[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/, 'use a folder inside the working copy such as libs/widgets'),
      z.object({ repository, ref: ref.optional() }),
    )
    .refine((others) => Object.keys(others).length <= 50, 'at most 50')
    .optional()
    .describe('further repositories, by the folder below the working copy that they are put into'),
});
export type WorkingCopySpec = z.infer<typeof workingCopySpec>;
