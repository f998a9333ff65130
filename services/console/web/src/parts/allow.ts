import type { BlueprintSpec } from '@berth/contracts';

/** Who may use a blueprint or a machine, in words. */
export function allowed({ allow }: Pick<BlueprintSpec, 'allow'>): string {
  const { projects, owners } = allow;
  if (projects.length === 0 && owners.length === 0) return 'everybody';
  return [projects.length > 0 && `project${projects.length > 1 ? 's' : ''} ${projects.join(', ')}`, owners.length > 0 && `owner${owners.length > 1 ? 's' : ''} ${owners.join(', ')}`].filter(Boolean).join('; ');
}
