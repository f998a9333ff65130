import { derivedId, type ImageTarget, type ImageTemplate, type KeptFile, type MadeImage } from '@berth/contracts';

/** What is built. */
export interface Building {
  image: string;
  /** of the template */
  revision: number;
  template: ImageTemplate;
  /** of the plan: the same for the same image, target and revision of the template */
  plan: string;
}

/** A part of the plan, and its share of the whole: parts that take longer have a greater one. */
export interface PlannedStep {
  /** as in the plan */
  id: string;
  /** what it does, for people */
  activity: string;
  weight: number;
}

/** A plan, as `ApplyPlan` reads it. */
export interface TargetPlan {
  source: string;
  steps: readonly PlannedStep[];
  /** id of the step that waits until the provider has made an image of the host; absent when the image is a file */
  seal?: string;
}

/** What a target begins from of a version that its image is made of: its root filesystem, a host that is booted from it, or nothing. */
export type Beginning = 'root' | 'host' | 'nothing';

/** One way to build an image: a build plan, and what is kept of its artifacts. */
export interface TargetKind {
  begins: Beginning;
  /**
   * Why a template can't be built like this: field and what to do, in the words of the template. None: it can be.
   * Called before anything is saved.
   */
  faults(template: ImageTemplate): readonly { field: string; message: string }[];
  /** Pure: the same template gives the same text. Where it begins from a root filesystem, the plan has {@link ROOT_VARIABLES}. */
  plan(building: Building): TargetPlan;
  /** What was made of a template, by the artifacts of the build. @throws Error in one sentence when something that the plan keeps is not there */
  made(artifacts: readonly KeptFile[], template: ImageTemplate): MadeImage;
}

/** Variables of a build that begins from a root filesystem: the build that has kept it, and the name of the artifact. */
export const ROOT_VARIABLES = { build: 'PARENT_BUILD', file: 'PARENT_FILE' } as const;

export type Targets = Readonly<Record<ImageTarget, TargetKind>>;

/** The plan that builds a target, by the revision of its template: builds of a former revision go on with their own. At most 63 characters. */
export function planName(image: string, target: ImageTarget, revision: number): string {
  const name = `image-${image}-${target}-r${revision}`;
  return name.length <= 63 ? name : `image-${image.slice(0, 20)}-${derivedId(image, 'plan').slice(0, 13)}-${target}-r${revision}`;
}
