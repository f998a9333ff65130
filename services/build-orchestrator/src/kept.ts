import type { BuildEvent, Recorded } from '@berth/contracts';
import { buildDecider, type Artifact, type Build, type EndingBuild } from './domain/build/build.js';

/** Something that a build has kept, here or elsewhere. */
export interface Kept {
  name: string;
  pinned: boolean;
  artifact?: Artifact;
  uri?: string;
}

/** What a build keeps by its events, by name. */
export function keptBy(recorded: readonly Recorded<BuildEvent>[]): Map<string, Kept> {
  const kept = new Map<string, Kept>();
  for (const event of recorded.flatMap(({ commit }) => commit.events)) {
    if (event.type === 'ArtifactKept') kept.set(event.data.name, { name: event.data.name, pinned: kept.get(event.data.name)?.pinned ?? false, artifact: event.data });
    else if (event.type === 'LinkAdded') kept.set(event.data.name, { name: event.data.name, pinned: false, uri: event.data.uri });
    else if (event.type === 'ArtifactReleased') kept.delete(event.data.name);
    else if (event.type === 'ArtifactPinned') {
      const one = kept.get(event.data.name);
      if (one) one.pinned = event.data.pinned;
    }
  }
  return kept;
}

/** A build as it was before it was cleaned up, when what it was made from had not left memory; undefined when there is none that has ended. */
export function beforeCleanUp(recorded: readonly Recorded<BuildEvent>[]): EndingBuild | undefined {
  let build: Build = buildDecider.initial;
  for (const { commit } of recorded) for (const event of commit.events) if (event.type !== 'BuildCleanedUp') build = buildDecider.evolve(build, event);
  return 'stray' in build ? build : undefined;
}
