import { insidePath, type ActionResult, type ActionSpec, type ArtifactType, type BuildEvent, type KeptFile, type SavedStep, type StepKindName, type StepWith, type stepSchemas } from '@berth/contracts';
import type { Scope } from '../language/expression.js';
import { render } from '../language/template.js';
import type { LiveBuild } from '../build/build.js';
import type { Due } from '../due.js';
import type { View } from '../view.js';

/** What a report says, as it is stored with the build. */
export type ReportSummary = Extract<BuildEvent, { type: 'ReportPublished' }>['data']['report'];

/** What a step says of the build. */
export type Verdict = { exitCode?: number | undefined; outputs?: Record<string, string> | undefined; artifacts?: readonly (KeptFile & { type?: Exclude<ArtifactType, 'uri'> })[]; report?: ReportSummary } & (
  | { outcome: 'passed' }
  | { outcome: 'failed'; error: string; tail?: string | undefined }
);

/** An action that ran to its end, well or badly. */
export type Ended = { how: 'succeeded'; result: ActionResult } | { how: 'failed'; result: ActionResult; code: string; error: string };

/** Where a step runs, and what is known there. */
export interface StepContext {
  /** id of the build */
  id: string;
  build: LiveBuild;
  index: number;
  step: SavedStep;
  /** of the gateway, or the id of whatever else it asks for */
  action: string;
  scope: Scope;
  /** what all steps of the build see; a step's own environment comes on top */
  env: Readonly<Record<string, string>>;
  /** what the host is asked to be */
  wants: Readonly<Record<string, string>>;
  view: View;
  /** milliseconds since 1970: now, and when the step began */
  now: number;
  since: number;
}

/** What is to be asked of the gateway; or why it can't be; or what has to be known first. */
export type Asked = { spec: ActionSpec } | { fault: string } | { due: Due[] };

/** A kind of step that is one action on a host. */
export interface HostKind {
  on: 'host';
  schema: (typeof stepSchemas)[StepKindName];
  /** how it is written, for messages */
  written: string;
  action(context: StepContext): Asked;
  /** undefined: the end says nothing about the code, only that the step could not be carried out */
  verdict(ended: Ended, context: StepContext): Verdict | undefined;
}

/** What a step without a host comes to: a verdict, or what is due for it until there is one. */
export type Looked = { verdict: Verdict } | { due: Due[] };

/** A kind of step that the orchestrator carries out by itself, or by asking other services. */
export interface OwnKind {
  on: 'nothing';
  schema: (typeof stepSchemas)[StepKindName];
  written: string;
  look(context: StepContext): Looked;
}

export type StepKind = HostKind | OwnKind;

/** Failures that are the build's own: what its commands left, or failed to leave, at a path. Every other one is the host's. */
export const ownFaults: ReadonlySet<string> = new Set(['exit', 'timeout', 'path-outside', 'not-found', 'permission-denied', 'file-failed', 'already-exists', 'too-large', 'same-name', 'bad-name', 'checksum', 'report', 'outputs', 'secret', 'shell', 'invalid-value', 'git-missing', 'repository-unreachable', 'repository-missing', 'ref-missing', 'folder-failed', 'lfs-missing', 'access-denied', 'network']);

/** What is written under `with`. It was read by the schema of the kind when the plan was saved. */
export const withOf = <K extends Exclude<StepKindName, 'run-command'>>({ step }: StepContext): StepWith<K> => step.with as StepWith<K>;

export const passed = (more: Omit<Extract<Verdict, { outcome: 'passed' }>, 'outcome'> = {}): Looked => ({ verdict: { outcome: 'passed', ...more } });
export const failed = (error: string): Looked => ({ verdict: { outcome: 'failed', error } });

/** A path from a plan, once its values are known: still inside the working copy, or a sentence. */
export function pathOf(source: string, { scope }: StepContext, field: string): { path: string } | { fault: string } {
  const path = render(source, scope);
  const parsed = insidePath.safeParse(path);
  return parsed.success ? { path } : { fault: `${field} is ${JSON.stringify(path)} and ${parsed.error.issues[0]?.message ?? 'is no path'}` };
}

/** Several of them; the first fault counts. */
export function pathsOf(sources: readonly string[], context: StepContext, field: string): { paths: string[] } | { fault: string } {
  const paths: string[] = [];
  for (const source of sources) {
    const one = pathOf(source, context, field);
    if ('fault' in one) return one;
    paths.push(one.path);
  }
  return { paths };
}

/** Every text inside a value of a plan, with its values put in. */
export function renderAll(value: unknown, scope: Scope): unknown {
  if (typeof value === 'string') return render(value, scope);
  if (Array.isArray(value)) return value.map((one) => renderAll(one, scope));
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, renderAll(one, scope)]));
  return value;
}

