import type { AnyRecorded, SavedPlan } from '@berth/contracts';
import { traceOf, type OpenSpan, type Tracing } from '@berth/runtime';

type OfBuild = Extract<AnyRecorded, { kind: 'build' }>;

interface Known {
  build: OpenSpan;
  plan: SavedPlan;
  steps: Map<number, OpenSpan>;
}

/** Builds and their steps as spans, by the events of builds that began while this process follows them. */
export class BuildSpans {
  private readonly known = new Map<string, Known>();

  constructor(private readonly tracing: Tracing) {}

  /** Of each commit as it comes, not of those from before the start: the times of those are told already. */
  note({ id, commit, trace }: OfBuild): void {
    const at = Date.parse(commit.at);
    for (const event of commit.events) {
      if (event.type === 'BuildRequested' || event.type === 'BuildRestarted') {
        this.end(id, at, 'another generation began');
        const { plan, planVersion } = event.data;
        const generation = event.type === 'BuildRestarted' ? event.data.generation : 1;
        const build = this.tracing.start({ name: 'build', parent: trace ?? traceOf(id), attributes: { 'berth.build': id, 'berth.plan': plan.name, 'berth.plan.version': planVersion, 'berth.generation': generation }, began: at });
        this.known.set(id, { build, plan, steps: new Map() });
        continue;
      }
      const known = this.known.get(id);
      if (!known) continue;
      switch (event.type) {
        case 'StepStarted':
          known.steps.set(event.data.step, this.tracing.start({ name: 'step', parent: known.build.traceparent, attributes: { 'berth.build': id, 'berth.step': event.data.name, 'berth.action': event.data.action, 'berth.attempt': event.data.attempt ?? 1 }, began: at }));
          break;
        case 'StepFinished': {
          const { step, outcome, error } = event.data;
          known.steps.get(step)?.set({ 'berth.outcome': outcome });
          known.steps.get(step)?.end(outcome === 'passed' || outcome === 'skipped' ? undefined : (error ?? outcome), at);
          known.steps.delete(step);
          break;
        }
        case 'BuildPassed':
          known.build.set({ 'berth.outcome': 'passed' });
          this.end(id, at);
          break;
        case 'BuildFailed':
        case 'BuildErrored':
          known.build.set({ 'berth.outcome': event.type === 'BuildFailed' ? 'failed' : 'error' });
          this.end(id, at, event.data.error);
          break;
        case 'BuildAborted':
          known.build.set({ 'berth.outcome': 'aborted' });
          this.end(id, at, event.data.reason);
          break;
        default:
          break; // neither begins nor ends anything
      }
    }
  }

  private end(id: string, at: number, error?: string): void {
    const known = this.known.get(id);
    if (!known) return;
    for (const step of known.steps.values()) step.end('its build is over', at);
    known.build.end(error, at);
    this.known.delete(id);
  }
}
