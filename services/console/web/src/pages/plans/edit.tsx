import type { PlanView } from '@berth/client';
import { Link } from 'wouter';
import { run, type Command } from '../../api/commands';
import { SourceEditor } from '../../parts/source-editor';
import { Page } from '../../ui/page';

const BEGINNING = `name: hello
host: { os: linux }
variables:
  WHO: { default: world, description: who is greeted }
steps:
  - name: Greet
    run: echo "Hello, $WHO"
`;

/** Writes a plan, beginning with a small one. */
export function NewPlan({ onLeave }: { onLeave: (saved?: string) => void }) {
  return <Page title="New plan" trail={<Link href="/plans">Plans</Link>}><Editor text={BEGINNING} onLeave={onLeave} /></Page>;
}

interface Read {
  name: string;
  steps: { id: string; name: string }[];
}

/** The text of a plan. What is saved is its next version. */
export function Editor({ of, text, onLeave }: { /** to be changed; a new one without it */ of?: PlanView; text: string; onLeave: (saved?: string) => void }) {
  const send = <T,>(body: string, command: Pick<Command, 'key' | 'label' | 'path' | 'base'>) => run<T>({ body, type: 'application/yaml', ...command }, { quiet: true });
  const save = async (body: string, base: string | undefined): Promise<void> => onLeave((await send<{ name: string }>(body, { key: 'save plan', label: 'Plan', path: 'plans', base })).name);
  const check = async (body: string): Promise<string> => {
    const { name, steps } = await send<Read>(body, { key: 'check plan', label: 'Check of the plan', path: 'plans/validate' });
    return `It can be saved as ${name}: ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}, ${steps.map((step) => step.name).join(', ')}.`;
  };
  return (
    <SourceEditor
      label="Plan" hint={<>YAML or JSON; <code>docs/reference/plan.md</code> says what may stand in it</>} of={of} text={text} needs="plan:write"
      action={of ? `Save as version ${of.version + 1}` : 'Save'} save={save} check={check} onCancel={() => onLeave()}
    />
  );
}
