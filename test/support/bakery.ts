import { execFileSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openArtifacts } from '@berth/artifacts';
import type { BuildEvent, ImageTemplate, KeptFile, MadeImage } from '@berth/contracts';
import { findTool } from '@berth/embedded/servers';
import { targets } from '@berth/image-factory/targets';
import { readTemplate } from '@berth/image-factory/template';
import { tempFolder } from './cleanup.js';
import { startFleet, startTestSshd } from './fleet.js';

/** Installing a system is a minute on a busy machine. In milliseconds. */
export const LONG = 300_000;
const FLEET = ['lease', 'allocator', 'host-agent-gateway', 'build-orchestrator'] as const;

/** A template of YAML. @throws Error with all that is wrong with it */
export function read(text: string): ImageTemplate {
  const result = readTemplate(text);
  if ('errors' in result) throw new Error(result.errors.map(({ message }) => message).join('; '));
  return result.template;
}

/** Runs a program; what it prints. @throws when it fails */
export const run = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 2 ** 20, stdio: ['ignore', 'pipe', 'pipe'] });

/** `NAME VERSION` of what a database of dpkg says is installed. */
export const installed = (status: string): string[] =>
  status
    .split('\n\n')
    .filter((entry) => /^Status: \S+ ok installed$/m.test(entry))
    .map((entry) => `${/^Package: (.*)$/m.exec(entry)![1]} ${/^Version: (.*)$/m.exec(entry)![1]}`)
    .sort();

/** The plan of a template as a target, named by the template. */
export const planAs = (kind: keyof typeof targets, template: ImageTemplate) =>
  JSON.parse(targets[kind].plan({ image: template.name, revision: 1, template, plan: template.name }).source) as { env: Record<string, string>; steps: { id: string }[] };

/** A fleet with one host, `builder` in the pool `images`, that images are built on for real, as the factory has it done. Until the end of the file. */
export async function startBakery() {
  if (process.getuid?.() !== 0) throw new Error('images are built by root: run these tests as root');
  for (const tool of ['mmdebstrap', 'debootstrap', 'sfdisk', 'debugfs', 'mcopy', 'fsck.vfat', 'skopeo', 'umoci'] as const) await findTool(tool);
  const store = await tempFolder('artifacts');
  const [fleet, sshd] = await Promise.all([startFleet({ services: FLEET, env: { BERTH_ARTIFACTS: `folder:${store}` } }), startTestSshd()]);
  const kept = openArtifacts({ kind: 'folder', path: store }, fleet.bus.connection);
  await fleet.addMachine('builder', sshd, { attributes: { pool: 'images' } });

  const eventsOf = async (build: string) => (await fleet.events('build')).filter(({ id }) => id === build).flatMap(({ commit }) => commit.events as BuildEvent[]);
  const artifactsOf = async (build: string): Promise<KeptFile[]> => (await eventsOf(build)).flatMap((event) => (event.type === 'ArtifactKept' ? [event.data as KeptFile] : []));
  /** Carries out a plan. */
  const baked = async (name: string, plan: unknown, variables: Record<string, string> = {}) => {
    await fleet.applyPlan(JSON.stringify(plan));
    const build = await fleet.build(name, variables);
    const { data } = await fleet.ended(build, { timeoutMs: LONG });
    return { build, status: data.status, error: data['error'] };
  };
  /** The bytes of what was kept, as a file. */
  const file = async ({ object, name }: KeptFile): Promise<string> => {
    const path = join(await tempFolder('made'), name);
    await pipeline(Readable.from((await kept.open(object))!.read()), createWriteStream(path));
    return path;
  };
  return {
    fleet,
    eventsOf,
    artifactsOf,
    baked,
    file,
    /** What a step printed. */
    outputOf: async (build: string, step: string) => {
      const action = (await eventsOf(build)).flatMap((event) => (event.type === 'StepStarted' && event.data.name === step ? [event.data.action] : []))[0];
      return fleet.output(action!);
    },
    /** Builds a template as a target; how it ended, and what was made of it. @throws when the template can't be built so */
    bake: async (kind: keyof typeof targets, template: ImageTemplate, variables: Record<string, string> = {}) => {
      const faults = targets[kind].faults(template);
      if (faults.length > 0) throw new Error(faults.map(({ field, message }) => `${field} ${message}`).join('; '));
      const name = `${template.name}-${kind}`;
      const ended = await baked(name, JSON.parse(targets[kind].plan({ image: template.name, revision: 1, template, plan: name }).source), variables);
      return { ...ended, made: async (): Promise<MadeImage> => targets[kind].made(await artifactsOf(ended.build), template) };
    },
    textOf: async (one: KeptFile) => readFile(await file(one), 'utf8'),
    /** What builds have left on their host: folders, and mounts. */
    leftovers: async () => [...(await fleet.leftovers(join(fleet.home, 'builder'))), ...(await readFile('/proc/mounts', 'utf8')).split('\n').filter((line) => line.includes(fleet.home))],
  };
}
export type Bakery = Awaited<ReturnType<typeof startBakery>>;
