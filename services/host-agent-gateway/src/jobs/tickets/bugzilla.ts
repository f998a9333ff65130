import type { Ticket } from '@berth/contracts';
import type { TicketsSetting } from '@berth/runtime';
import { toldSecret, type SecretStore } from '../told-secret.js';
import { trackerFault, type Patience } from './ask.js';
import { BugzillaApi } from './bugzilla-api.js';
import { openedStatus, saysUnreachable, toldBy, whiteboardWith, type Bug } from './bugs.js';
import type { Tracker, Trouble } from './tracker.js';

type Setting = Extract<TicketsSetting, { kind: 'bugzilla' }>;

/** Bugzilla's MAX_FREETEXT_LENGTH and MAX_COMMENT_LENGTH (Bugzilla/Constants.pm). */
const MOST_SUMMARY = 255;
const MOST_COMMENT = 65_535;

/** What a comment says: who asked for what stands behind it, and is there also when the rest is cut. */
function commentOf({ body, job, task, requester }: Trouble): string {
  const end = `\n\nJob ${job} (${task}), asked for by ${requester}.`;
  return body.slice(0, MOST_COMMENT - end.length) + end;
}

/**
 * Bugzilla, over REST. Each machine has a bug under an alias, its tracker, that all its troubles block. What a job writes carries its id in the same request, so that a job that tells again after a crash finds it.
 */
export function bugzillaTracker(setting: Setting, secrets: SecretStore, patience?: Patience): Tracker {
  return {
    async tell(trouble, signal) {
      const api = new BugzillaApi(setting.url, await toldSecret(secrets, setting.secret), signal, patience);
      return new Telling(api, setting, trouble).tell();
    },
  };
}

/** One job tells of one trouble. */
class Telling {
  private readonly alias: string;

  constructor(
    private readonly api: BugzillaApi,
    private readonly setting: Setting,
    private readonly trouble: Trouble,
  ) {
    this.alias = trouble.tracker ?? trouble.machine;
  }

  async tell(): Promise<Ticket> {
    const { api, trouble } = this;
    // A machine may have a name of digits, but a bug with that number is a stranger's.
    if (trouble.tracker === undefined && /^\d+$/.test(trouble.machine)) throw trackerFault(`The machine ${trouble.machine} has no ticket: Bugzilla takes digits for the number of a bug, so say which one is its tracker`);
    const [before] = await api.search({ f1: 'status_whiteboard', o1: 'substring', v1: trouble.job });
    const how = before && toldBy(before, trouble.job);
    const found = await api.bug(this.alias);
    if (before && how) {
      if (found && how === 'filed') await this.insist(before, found.id);
      return this.ticket(before.id, how);
    }
    const tracker = await this.opened(found ?? (await this.make()));
    const open = await api.search({ f1: 'blocked', o1: 'equals', v1: String(tracker), resolution: '---' });
    const one = open.find((each) => saysUnreachable(each, trouble));
    return one ? this.comment(one) : this.file(tracker);
  }

  /** The machine's own bug, made. */
  private async make(): Promise<Bug> {
    const { api, alias, setting, trouble } = this;
    if (/^\d+$/.test(alias)) throw trackerFault(`Bugzilla has no bug ${alias}, which the machine ${trouble.machine} has as its tracker: correct its tracker`);
    await api.file({ ...this.common, ...setting.machines, alias, summary: `${trouble.machine}: problems`, description: `All tickets about the machine ${trouble.machine} block this one.` });
    // Also when the alias was taken: then somebody else has made it just now.
    const made = await api.bug(alias);
    if (!made) throw trackerFault(`Bugzilla does not take the alias ${alias}: say which bug is the tracker of the machine ${trouble.machine}`);
    return made;
  }

  /** The number of a bug that is open, if it can be opened at all. */
  private async opened({ id, status, is_open: isOpen }: Bug): Promise<number> {
    if (isOpen) return id;
    const to = openedStatus(await this.api.statuses(), status);
    if (to === undefined) throw trackerFault(`Bugzilla's workflow has no way to open bug ${id} again, which is ${status}: open it, or let the user of the API key do so`);
    // Bugzilla clears the resolution itself when a bug is opened.
    await this.api.update(id, { status: to, comment: { body: `Opened again: ${this.summary}.\n\nJob ${this.trouble.job}.` } });
    return id;
  }

  private async comment(one: Bug): Promise<Ticket> {
    const { api, trouble } = this;
    // A person may have emptied the whiteboard since.
    const said = await api.comments(one.id);
    const at = said.findIndex((text) => text.includes(trouble.job));
    if (at >= 0) return this.ticket(one.id, at === 0 ? 'filed' : 'commented');
    // One request: Bugzilla does both or nothing.
    await api.update(one.id, { comment: { body: commentOf(trouble) }, whiteboard: whiteboardWith(one.whiteboard, trouble, 'commented') });
    return this.ticket(one.id, 'commented');
  }

  private async file(tracker: number): Promise<Ticket> {
    const { api, setting, trouble } = this;
    const { product, component } = setting;
    const id = await api.file({ ...this.common, product, component, summary: this.summary, description: commentOf(trouble), blocks: [tracker], whiteboard: whiteboardWith('', trouble, 'filed') });
    const filed = id === undefined ? undefined : await api.bug(String(id));
    if (!filed) throw trackerFault('Bugzilla filed a bug that it does not show: let the user of the API key see what it files');
    await this.insist(filed, tracker);
    return this.ticket(filed.id, 'filed');
  }

  /** Some Bugzillas leave out what is not in their documentation of "Create Bug", as `blocks` and `whiteboard` are not in that of 5.0. */
  private async insist(filed: Bug, tracker: number): Promise<void> {
    const linked = filed.blocks.includes(tracker);
    const marked = toldBy(filed, this.trouble.job) !== undefined;
    if (linked && marked) return;
    await this.api.update(filed.id, { ...(!linked && { blocks: { add: [tracker] } }), ...(!marked && { whiteboard: whiteboardWith(filed.whiteboard, this.trouble, 'filed') }) });
  }

  /** Fields that some Bugzillas have no defaults for. */
  private get common() {
    const { version, type } = this.setting;
    return { version, op_sys: 'All', platform: 'All', ...(type !== undefined && { type }) };
  }

  private get summary(): string {
    return this.trouble.summary.slice(0, MOST_SUMMARY);
  }

  private ticket(id: number, how: Ticket['how']): Ticket {
    return { tracker: 'bugzilla', id: String(id), url: this.api.shown(id), how };
  }
}
