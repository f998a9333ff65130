import { decide } from './decide.js';
import { evolve } from './evolve.js';
import type { Build } from './state.js';

export { hostFailures, type BuildCommand, type Interrupted } from './decide.js';
export { isLive, isOver, stepIdOf, type About, type Artifact, type Build, type EndedBuild, type EndingBuild, type Extra, type LiveBuild, type Place, type StepAt } from './state.js';

export const buildDecider: { initial: Build; decide: typeof decide; evolve: typeof evolve; ended(build: Build): boolean } = { initial: { status: 'none' }, decide, evolve, ended: (build) => 'cleaned' in build && build.cleaned };
