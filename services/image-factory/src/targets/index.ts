import type { Targets, TargetKind } from './target.js';

const mock: TargetKind = {
  faults: () => [],
  plan: ({ plan, template }) => ({
    source: JSON.stringify({ name: plan, host: template.targets.mock?.host ?? {}, steps: [
      { name: 'Make', id: 'make', run: template.targets.mock?.outcome === 'failed' ? 'echo it is said to fail >&2; exit 1' : 'echo image > image.mock' },
      { name: 'Keep', id: 'keep', uses: 'upload-artifact', with: { path: 'image.mock' } }] }),
    steps: [{ id: 'make', activity: 'makes a small file', weight: 8 }, { id: 'keep', activity: 'keeps it', weight: 2 }],
  }),
  made: (artifacts) => ({ object: artifacts[0]! }),
};
export const targets: Targets = { raw: mock, oci: mock, ec2: mock, mock };
