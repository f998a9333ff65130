import { z } from 'zod';
import { uuid } from './scalars.js';
import { hostAccess } from './machine.js';
import { workingCopySpec } from './working-copy.js';

const path = z.string().min(1).max(4096).regex(/^[^\0\n]+$/, 'a path has no NUL and no line break');
/** A path inside the working copy (or the lease's folder): relative, and never upwards. */
export const insidePath = path.refine((p) => !p.startsWith('/') && !p.startsWith('~') && !p.split(/[\\/]/).includes('..') && !/^[A-Za-z]:/.test(p), {
  message: 'must stay inside the working copy: a relative path without ".."',
}).describe('a path inside the working copy, or the folder of the lease: relative and without ".."');
const environment = z.record(
  z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name is letters, digits and "_"')
    .regex(/^(?!BERTH_(ACTION|LEASE)$)/, 'BERTH_ACTION and BERTH_LEASE are set by Berth: choose another name'),
  z.string(),
);

/** Name of a secret that is kept beside the services, never on the bus. */
export const secretName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'a secret is named by 1 to 128 letters, digits, ".", "_" or "-"').describe('name of a secret in the store of secrets');
/** The shell that a command is written for. */
export const commandShell = z.enum(['sh', 'bash', 'powershell', 'cmd']);
export type CommandShell = z.infer<typeof commandShell>;
/** Where an artifact is kept: `<build>/<generation>/<name>`. */
const artifactPrefix = z.string().min(1).max(256).describe('what the names of its objects begin with: `<build>/<generation>`');
/** A file, or several by `*`, `?`, `[…]` and `**`, inside the working copy. */
export const glob = insidePath.describe('a path inside the working copy; `*`, `?`, `[abc]` and `**` stand for several');

const cacheKey = z.string().regex(/^[0-9a-f]{40}$/).describe('40 hexadecimal digits');

/** How large a terminal is. */
export const terminalSize = z.object({
  columns: z.number().int().min(1).max(1000).default(80).describe('width in characters'),
  rows: z.number().int().min(1).max(1000).default(24).describe('height in characters'),
});
export type TerminalSize = z.infer<typeof terminalSize>;

/** What is done on a host, by kind. */
export const actionSpec = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('run-command'),
    command: z.string().min(1).max(262_144).describe('text of a script for the shell'),
    shell: commandShell.optional().describe('sh on Linux and macOS, powershell on Windows when absent'),
    env: environment.default({}).describe('environment variables'),
    secrets: z
      .array(z.object({ name: z.string().describe('variable that it is given in'), secret: secretName, as: z.enum(['env', 'file']).describe('file: the variable holds the path of a file with the value') }))
      .max(64)
      .optional()
      .describe('secrets that it is given; their values are masked in its output'),
    timeoutMs: z.number().int().positive().max(7 * 86_400_000).optional().describe('ended after so many milliseconds'),
    outputLimit: z.number().int().min(65_536).optional().describe('bytes of each stream that are kept: the first and the last of it when there is more'),
  }),
  z.object({
    kind: z.literal('put-file'),
    path: insidePath,
    object: z.string().optional().describe('name of the object in the bucket berth-transfers; or `content`'),
    content: z.string().max(65_536).optional().describe('the text of the file itself'),
    mode: z.number().int().min(0).max(0o777).default(0o644).describe('permission bits, as a number: 420 is 0644'),
  }),
  z.object({
    kind: z.literal('get-file'),
    path: insidePath,
    object: z.string().describe('name to keep it under: with a "/" in the bucket berth-artifacts, otherwise in berth-transfers'),
  }),
  z.object({
    kind: z.literal('prepare-working-copy'),
    copy: uuid.describe('id of the working copy; names its folder'),
    cache: cacheKey.optional().describe('begin with a kept clone of this key when the host has one'),
    ...workingCopySpec.shape,
  }),
  z.object({
    kind: z.literal('remove-working-copy'),
    copy: uuid.describe('id of the working copy'),
    keep: z.object({ cache: cacheKey, most: z.number().int().min(1).max(1000).describe('kept clones on this host; older ones go') }).optional().describe('clean it and keep the clone instead'),
  }),
  z.object({
    kind: z.literal('start-service'),
    service: uuid.describe('id of the service; its processes carry it'),
    command: z.string().min(1).max(65_536).describe('text of a POSIX shell script that starts it and ends'),
    ready: z.object({ command: z.string().min(1).max(65_536), timeoutMs: z.number().int().positive() }).optional().describe('tried until it ends with 0'),
    env: environment.default({}),
    timeoutMs: z.number().int().positive().max(7 * 86_400_000),
  }),
  z.object({
    kind: z.literal('stop-service'),
    service: uuid,
    command: z.string().min(1).max(65_536).optional().describe('text of a POSIX shell script that ends it in good order; what is left is killed'),
    env: environment.default({}),
    timeoutMs: z.number().int().positive().max(86_400_000),
  }),
  z.object({
    kind: z.literal('checkout'),
    path: insidePath.optional().describe('folder inside the working copy; the working copy itself when absent'),
    repository: workingCopySpec.shape.repository.unwrap(),
    ref: workingCopySpec.shape.ref,
    depth: z.number().int().min(1).max(1_000_000).optional().describe('commits of history; all of it when absent'),
    submodules: z.enum(['no', 'yes', 'recursive']).default('no'),
    lfs: z.boolean().default(false).describe('fetch large files; refused when git-lfs is not on the host'),
    secret: secretName.optional().describe('a token for the repository, over HTTPS'),
    timeoutMs: z.number().int().positive().max(7 * 86_400_000).optional(),
  }),
  z.object({
    kind: z.literal('upload'),
    paths: z.array(glob).min(1).max(100).describe('files and folders'),
    prefix: artifactPrefix,
    name: z.string().max(256).optional().describe('name of the one file, or of the folder that several are kept under'),
    whenNone: z.enum(['fail', 'pass']).default('fail').describe('when nothing matches'),
    maxBytes: z.number().int().positive().describe('of one file'),
    maxFiles: z.number().int().positive().default(1000),
  }),
  z.object({
    kind: z.literal('download'),
    items: z
      .array(z.object({ object: z.string(), path: insidePath.describe('where it is put'), bytes: z.number().int().nonnegative(), sha256: z.string() }))
      .min(1)
      .max(1000),
  }),
  z.object({
    kind: z.literal('read-report'),
    paths: z.array(glob).min(1).max(100).describe('files of reports'),
    format: z.string().max(32).describe('junit, tap, node-test, sarif, checkstyle or auto'),
    prefix: artifactPrefix,
    name: z.string().max(256).describe('folder of artifacts that the files are kept under'),
    whenNone: z.enum(['fail', 'pass']).default('fail'),
  }),
  z.object({
    kind: z.literal('terminal'),
    tty: z.boolean().default(true).describe('a pseudo-terminal; without one, bytes go through untouched and standard error is apart'),
    ...terminalSize.shape,
    term: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/, 'a terminal type is letters, digits, ".", "_", "+" or "-"').default('xterm-256color').describe('type of the terminal, as in TERM'),
    command: z.string().min(1).max(16_384).regex(/^[^\0]+$/, 'a command has no NUL').optional().describe("text of a POSIX shell script; the user's login shell when absent"),
  }),
  z.object({
    kind: z.literal('forward'),
    port: z.number().int().min(1).max(65_535).describe('where to, on the host or seen from it'),
    address: z.string().regex(/^[A-Za-z0-9:][A-Za-z0-9:._-]{0,252}$/, 'use a host name or an IP address').default('127.0.0.1').describe('as seen from the host'),
  }),
  z.object({
    kind: z.literal('remove-file'),
    path: insidePath,
    recursive: z.boolean().default(false).describe('a folder with all that is in it'),
  }),
  z.object({
    kind: z.literal('make-folder'),
    path: insidePath,
  }),
  z.object({
    kind: z.literal('restart-service'),
    service: uuid.describe('id of the service; what runs of it is ended first'),
    stop: z.object({ command: z.string().min(1).max(65_536), timeoutMs: z.number().int().positive().max(86_400_000) }).optional().describe('text of a POSIX shell script that ends it in good order; what is left is killed'),
    start: z
      .object({
        command: z.string().min(1).max(65_536).describe('text of a POSIX shell script that starts it and ends'),
        timeoutMs: z.number().int().positive().max(7 * 86_400_000),
        ready: z.object({ command: z.string().min(1).max(65_536), timeoutMs: z.number().int().positive() }).optional().describe('tried until it ends with 0'),
      })
      .optional()
      .describe('absent: it stays stopped'),
    env: environment.default({}),
  }),
]);
export type ActionSpec = z.infer<typeof actionSpec>;
export type ActionKind = ActionSpec['kind'];

export const actionCommands = {
  RunAction: z
    .object({
      lease: uuid.describe('the lease it runs under'),
      token: z.number().int().positive().describe("the fencing token of the lease's grant; refused when it is not the present one"),
      spec: actionSpec.describe('what is to be done, by kind'),
    })
    .describe('Does one thing on a leased host. The id of the command is the id of the action.'),
  CancelAction: z
    .object({
      action: uuid,
      reason: z.string().max(256).default('cancelled').describe('for the history'),
      graceMs: z.number().int().min(0).max(60_000).optional().describe('between being told to end and being killed; 5000 when absent'),
    })
    .describe('Ends an action with everything it has started. One that has ended stays as it is.'),
  ProbeHost: z
    .object({
      host: hostAccess,
      check: z.object({ command: z.string().min(1).max(65_536), timeoutMs: z.number().int().positive().max(3_600_000) }).optional().describe('a shell command that says whether it is fit'),
    })
    .describe('Looks at a host without a lease, for the allocator. Answered with `data` = `{hostKey, facts, check?: {exitCode, output}}`; writes nothing.'),
  ListFolders: z
    .object({ host: hostAccess })
    .describe('Which working folders there are on a host, for the allocator. Answered with `data` = `{copies: [{id, ageMs}]}`; writes nothing.'),
  RemoveFolders: z
    .object({ host: hostAccess, copies: z.array(uuid).min(1).max(1000) })
    .describe('Removes working folders that nobody owns, and the processes in them. Answered with `data` = `{removed: [id], failed: [{id, error}]}`; writes nothing.'),
  ListFiles: z
    .object({
      lease: uuid.describe('the lease whose folder is looked into'),
      token: z.number().int().positive().describe("the fencing token of the lease's grant"),
      path: insidePath.default('.'),
      after: z.string().max(1024).optional().describe('only names after this one'),
      limit: z.number().int().min(1).max(1000).default(500),
    })
    .describe('What is in a folder, by name. Answered with `data` = `{items: [{name, kind, bytes, mode, modified}], more}`; writes nothing. `kind` is file, folder, link or other; `mode` its permission bits as a number.'),
  StatFile: z
    .object({ lease: uuid, token: z.number().int().positive().describe("the fencing token of the lease's grant"), path: insidePath })
    .describe('What one path is; a link is not followed. Answered with `data` = `{name, kind, bytes, mode, modified, target?}`; writes nothing.'),
} as const;

/** A file that was kept. */
export const keptFile = z.object({
  name: z.string().describe('of the artifact; may have folders'),
  object: z.string().describe('its name in the store of artifacts'),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().describe('in hexadecimal'),
});
export type KeptFile = z.infer<typeof keptFile>;

/** What a finished action found. Which keys there are depends on its kind. */
export const actionResult = z.object({
  exitCode: z.number().int().optional().describe('of a command'),
  stdoutBytes: z.number().int().nonnegative().optional().describe('how much a command printed'),
  stderrBytes: z.number().int().nonnegative().optional().describe('how much a command printed'),
  path: z.string().optional().describe('folder of a working copy on the host'),
  commit: z.string().optional().describe('the full id of the commit that a working copy holds'),
  bytes: z.number().int().nonnegative().optional().describe('size of a file'),
  sha256: z.string().optional().describe('of a file, in hexadecimal'),
  outputs: z.record(z.string(), z.string()).optional().describe('what a command wrote to the file named by $BERTH_OUTPUT, a line NAME=VALUE each'),
  tail: z.string().optional().describe('the last lines that a failed command printed'),
  artifacts: z.array(keptFile).optional().describe('files that were kept'),
  report: z.record(z.string(), z.unknown()).optional().describe('what reports of tests or analysis say'),
});
export type ActionResult = z.infer<typeof actionResult>;

export const actionEvents = {
  ActionRequested: z
    .object({ lease: uuid, token: z.number().int().positive().describe('fencing token of the grant it rests on'), spec: actionSpec.describe('what is to be done, by kind') })
    .describe('Asked for. The gateway begins when this comes back to it in the total order.'),
  ActionStarted: z.object({}).describe('The host has begun.'),
  CancelRequested: z.object({ reason: z.string(), graceMs: z.number().optional() }).describe('It is to be ended; how it ended is told by one of the events below.'),
  ActionSucceeded: actionResult.describe('It was done. Which fields there are depends on the kind.'),
  ActionFailed: actionResult
    .extend({ code: z.string().describe('exit, timeout, stale-token, unreachable, not-found, path-outside, …'), error: z.string() })
    .describe('It was not done, or a command ended with another code than 0.'),
  ActionLost: actionResult.extend({ error: z.string() }).describe('It had begun, and the host itself cannot say how it ended.'),
  ActionCancelled: actionResult.extend({ reason: z.string() }).describe('It was ended on purpose; nothing of it runs any more.'),
} as const;
