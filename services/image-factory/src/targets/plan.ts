import type { ImageTemplate } from '@berth/contracts';
import { fieldOf } from '@berth/yaml';
import { templateFaults } from '../template/faults.js';
import { BAKE } from './bake-text.js';
import { SBOM } from './sbom-text.js';
import type { PlannedStep, TargetPlan } from './target.js';

/** What a step of the plan says, besides its id and its name. */
export type StepBody =
  | { run: string; shell: 'sh'; env?: Record<string, string>; secrets?: readonly string[] }
  | { uses: 'put-file'; with: { path: string; content: string } }
  | { uses: 'download-artifact'; with: { name: string; build: string; path: string } }
  | { uses: 'upload-artifact'; with: { path: string; name: string; type?: 'sbom' } }
  | { uses: 'wait-for-message'; with: { from: string } };
/** A step of the plan and its share. */
export type PlanStep = { id: string; name: string; weight: number; if?: string } & StepBody;

/** In characters, once it is written as text of a plan. */
const MAX_CONTENT = 65_536;
const MAX_NAME = 128;
/** A variable of the environment takes 128 KiB. */
const MAX_COMMAND_BYTES = 100 * 1024;
/** A plan may take 256 KiB as JSON once it is compiled, which adds some bytes to each step. */
const MAX_PLAN_BYTES = 240 * 1024;
const PACKAGES_A_FILE = 400;

export interface Fault {
  field: string;
  message: string;
}

/** A text as it has to stand in a plan to mean itself: what opens an expression there is the value of one. */
export const literal = (text: string): string => text.replaceAll('${{', "${{ '${{' }}");

export const put = (id: string, path: string, content: string): PlanStep => ({ id, name: `Write ${path}`, weight: 1, uses: 'put-file', with: { path, content: literal(content) } });
/** A part of {@link BAKE}. */
export const bake = (part: string, name: string, weight: number, more: { env?: Record<string, string>; secrets?: readonly string[] } = {}): PlanStep => ({ id: part, name, weight, run: `sh bake/bake.sh ${part}`, shell: 'sh', ...more });
export const upload = (id: string, name: string, weight: number, type?: 'sbom'): PlanStep => ({ id, name: `Keep ${name}`, weight, uses: 'upload-artifact', with: { path: `out/${name}`, name, ...(type && { type }) } });

/** What a plan says besides its steps. */
export interface PlanSettings {
  name: string;
  description: string;
  host: Record<string, string>;
  env: Record<string, string>;
  /** what a build of it must be told */
  variables?: Record<string, { required: true }>;
  secrets?: Record<string, string>;
}

/** A plan as text, and its shares. */
export function planOf(plan: PlanSettings, steps: readonly PlanStep[]): Pick<TargetPlan, 'source' | 'steps'> {
  const env = Object.fromEntries(Object.entries(plan.env).map(([name, value]) => [name, literal(value)]));
  return {
    source: JSON.stringify({ ...plan, env, steps: steps.map(({ weight: _weight, ...step }) => ({ ...step, name: literal(step.name) })) }),
    steps: steps.map(({ id, name, weight }): PlannedStep => ({ id, activity: name, weight })),
  };
}

// --- what the values of a template become ---

/** The scripts, and the values of the template as files. */
export function inputs({ packages, repositories, files, os }: ImageTemplate): PlanStep[] {
  const chunks = Array.from({ length: Math.ceil(packages.length / PACKAGES_A_FILE) }, (_, i) => packages.slice(i * PACKAGES_A_FILE, (i + 1) * PACKAGES_A_FILE));
  return [
    put('bake', 'bake/bake.sh', BAKE),
    put('sbom-script', 'bake/sbom.awk', SBOM),
    ...repositories.flatMap((repository, i) => [put(`repository-${i + 1}`, `bake/in/berth-${repository.name}.sources`, aptSource(repository, os)), put(`repository-${i + 1}-rpm`, `bake/in/berth-${repository.name}.repo`, rpmSource(repository))]),
    ...chunks.map((chunk, i) => put(`packages-${i + 1}`, `bake/in/packages-${i + 1}`, chunk.map((one) => `${one}\n`).join(''))),
    ...files.map(({ content }, i) => put(`file-${i + 1}`, `bake/in/file-${i + 1}`, content)),
    ...(files.length > 0 ? [put('file-list', 'bake/in/files', files.map(({ path, mode }) => `${mode} ${path}\n`).join(''))] : []),
  ];
}

/** What the template asks for in an image that has its base. */
export function contents(template: ImageTemplate): PlanStep[] {
  const { packages, repositories, files, commands, os } = template;
  return [
    ...(packages.length + repositories.length > 0 ? [bake('packages', 'Install the packages', 10 + Math.min(packages.length, 40))] : []),
    ...(files.length > 0 ? [bake('files', 'Write the files', 2)] : []),
    ...commands.map(({ name, run }, i): PlanStep => ({ ...bake('command', name, 5, { env: { COMMAND: literal(run) } }), id: `command-${i + 1}` })),
    ...(os.rootPassword === undefined ? [bake('lock', 'Lock the password of root', 1)] : [bake('password', 'Set the password of root', 1, { secrets: ['ROOT_PASSWORD'] })]),
    bake('sbom', 'List the packages', 2),
    upload('keep-sbom', 'sbom.spdx.json', 2, 'sbom'),
  ];
}

export const secretsOf = ({ os }: ImageTemplate): { secrets?: Record<string, string> } => (os.rootPassword === undefined ? {} : { secrets: { ROOT_PASSWORD: os.rootPassword } });
export const hostOf = (host: Record<string, string> | undefined): Record<string, string> => ({ os: 'linux', ...host });
/** What debian calls it, and OCI. */
export const architectureOf = ({ os }: ImageTemplate): string => ({ x86_64: 'amd64', aarch64: 'arm64' })[os.arch];

type Repository = ImageTemplate['repositories'][number];

/** Whatever a URL was written like, so it has no space and no line break. */
const plainUrl = (url: string): string => new URL(url).href;

const aptSource = ({ url, suite, components, trusted }: Repository, os: ImageTemplate['os']): string =>
  `Types: deb\nURIs: ${plainUrl(url)}\nSuites: ${suite ?? suiteOf(os) ?? os.version}\n${suite?.endsWith('/') ? '' : `Components: ${components.join(' ')}\n`}${trusted ? 'Trusted: yes\n' : ''}`;

const rpmSource = ({ name, url, trusted }: Repository): string => `[berth-${name}]\nname=${name}\nbaseurl=${plainUrl(url)}\nenabled=1\ngpgcheck=${trusted ? 0 : 1}\n`;

/** Which system it is. */
export type System = Pick<ImageTemplate['os'], 'name' | 'version' | 'arch'>;

/** Releases by their numbers. */
const RELEASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  debian: { 10: 'buster', 11: 'bullseye', 12: 'bookworm', 13: 'trixie', 14: 'forky' },
  ubuntu: { '20.04': 'focal', '22.04': 'jammy', '24.04': 'noble', '25.04': 'plucky', '25.10': 'questing', '26.04': 'resolute' },
};

/** What the archives of a system call a version of it; undefined when that is not known. */
export function suiteOf({ name, version }: Pick<System, 'name' | 'version'>): string | undefined {
  const releases = RELEASES[name];
  if (releases === undefined) return undefined;
  if (/^[a-z]/.test(version)) return version;
  return releases[version] ?? releases[version.split('.')[0]!];
}
/** What has to be the same of an image and of what it is made of, in words: `debian bookworm for x86_64`. */
export const systemOf = (os: System): string => `${os.name} ${suiteOf(os) ?? os.version} for ${os.arch}`;
export const systems = Object.keys(RELEASES);
/** Of the archive of a system, what an image is made of. */
export const componentsOf = ({ os }: ImageTemplate): string => (os.name === 'ubuntu' ? 'main universe' : 'main');

// --- what can't be written into a plan ---

/** What no kind of target can do. */
export function planFaults(template: ImageTemplate, host: Record<string, string>, hostField: string, source: () => string): Fault[] {
  const faults = templateFaults(template).map(({ path, message }): Fault => ({ field: fieldOf(path), message }));
  for (const [name, value] of Object.entries(host)) if (value.includes('${{')) faults.push({ field: `${hostField}.${name}`, message: 'no expression of a plan can stand here: write the value' });
  for (const [i, { path, content }] of template.files.entries()) {
    if (path.endsWith('/')) faults.push({ field: `files[${i}].path`, message: 'is a folder: name a file in it' });
    if (literal(content).length > MAX_CONTENT) faults.push({ field: `files[${i}].content`, message: `is too long with the "\${{" in it, each of which takes some more room: a file may take ${MAX_CONTENT} characters. Have it in a package` });
  }
  for (const [i, { name, run }] of template.commands.entries()) {
    if (literal(name).length > MAX_NAME) faults.push({ field: `commands[${i}].name`, message: 'is too long with the "${{" in it, which takes some more room: shorten it' });
    if (Buffer.byteLength(literal(run)) > MAX_COMMAND_BYTES) faults.push({ field: `commands[${i}].run`, message: `takes more than ${MAX_COMMAND_BYTES / 1024} KiB: put it into a file of the template, and run that` });
  }
  const paths = template.files.reduce((sum, { path, mode }) => sum + literal(path).length + mode.length + 2, 0);
  if (paths > MAX_CONTENT) faults.push({ field: 'files', message: 'have paths that are too long together: have some of them in a package' });
  for (const [i, name] of template.packages.entries()) if (name.endsWith('-')) faults.push({ field: `packages[${i}]`, message: 'would be removed, which is what "-" at the end says: write the name of a package' });
  if (faults.length > 0) return faults;
  const bytes = Buffer.byteLength(source());
  return bytes <= MAX_PLAN_BYTES ? [] : [{ field: 'files', message: `make a plan of ${Math.ceil(bytes / 1024)} KiB together with the packages and commands, and it may have ${MAX_PLAN_BYTES / 1024}: have large files in a package, or fetch them by a command` }];
}

/** What is installed from the archives of a system has to be one of those that are known. */
export function rootFaults({ os }: ImageTemplate): Fault[] {
  if (!systems.includes(os.name)) return [{ field: 'os.name', message: `a root filesystem is made of ${systems.join(' or ')}: name one of them, or build it as ec2 from a host that has it` }];
  return suiteOf(os) === undefined ? [{ field: 'os.version', message: `is not known: use the name that the archives have for it, such as ${os.name === 'debian' ? 'trixie' : 'noble'}` }] : [];
}
