import { z } from 'zod';
import { secretName } from '../action.js';
import { name, wants } from '../scalars.js';

/** What an image can be built as. */
export const imageTarget = z.enum(['raw', 'oci', 'ec2', 'mock']);
export const imageTargets = imageTarget.options;
export type ImageTarget = z.infer<typeof imageTarget>;

const oneLine = (most: number) => z.string().min(1).max(most).regex(/^[^\0\r\n]+$/, 'must be one line');
const packageName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.+:_@-]{0,127}$/, 'use the name of a package');
const inImage = z.string().max(1024).regex(/^\/(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^\0\r\n]+$/, 'use an absolute path without ".."');
const host = wants.default({}).describe('what the host must be that it is built on');
const size = z
  .string()
  .regex(/^[1-9]\d{0,6}(MiB|GiB)$/, 'use a size such as 2GiB')
  .describe('of the disk');

/** What a disk boots by. */
export const diskBoot = z.enum(['uefi', 'none']);

/** How each target is built, where the template says something about it. */
export const targetSettings = z.strictObject({
  raw: z.strictObject({ host, size: size.default('2GiB'), boot: diskBoot.optional().describe('what the disk boots by, uefi when absent; none: it can be mounted only') }).optional(),
  oci: z.strictObject({ host }).optional(),
  ec2: z.strictObject({ host: wants.describe('what the host must be that becomes the image: a host that is launched from the base image'), account: name.describe('account on the provider that the host runs in') }).optional(),
  mock: z
    .strictObject({ host, outcome: z.enum(['complete', 'failed']).default('complete') })
    .optional()
    .describe('builds a small file: to try out what stands around images'),
});
export type TargetSettings = z.output<typeof targetSettings>;

/** What an image is made of. Times, ids and secrets have no place in it. */
export const imageTemplate = z.strictObject({
  name,
  description: z.string().max(4096).default(''),
  os: z.strictObject({
    name: oneLine(64).regex(/^[a-z0-9][a-z0-9._-]*$/, 'use a name such as debian').describe('such as debian'),
    version: oneLine(64).regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'use a version such as 12 or bookworm'),
    arch: z.enum(['x86_64', 'aarch64']).default('x86_64'),
    install: z.strictObject({ url: z.url({ protocol: /^https?$/ }).max(2048).describe('mirror that it is installed from') }).optional(),
    rootPassword: secretName.optional().describe('name of a secret; the account is locked when absent'),
  }),
  packages: z.array(packageName).max(2000).default([]),
  repositories: z
    .array(z.strictObject({ name, url: z.url({ protocol: /^https?$/ }).max(2048), suite: oneLine(128).regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'use a suite such as bookworm').optional(), components: z.array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)).max(20).default(['main']), trusted: z.boolean().default(false).describe('its signatures are not looked at') }))
    .max(50)
    .default([])
    .describe('that packages are taken from besides'),
  files: z.array(z.strictObject({ path: inImage, content: z.string().max(65_536), mode: z.string().regex(/^0?[0-7]{3}$/, 'use three octal digits such as "644", as text').default('644') })).max(200).default([]),
  commands: z.array(z.strictObject({ name: oneLine(128), run: z.string().min(1).max(65_536) })).max(200).default([]).describe('run in it, in this order, when the packages and files are there'),
  parent: z.strictObject({ image: name, channel: name.default('latest') }).optional().describe('the image that it is made of'),
  targets: targetSettings.default({}).describe('what it can be built as'),
});
export type ImageTemplate = z.output<typeof imageTemplate>;

/** A template as people write it, and as it stands in a file. */
export const templateSource = z.string().min(1).max(524_288).describe('YAML, or TDL (XML)');
