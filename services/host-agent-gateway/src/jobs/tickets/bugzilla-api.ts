import { z } from 'zod';
import { oneLine, type ToldSecret } from '../told-secret.js';
import { ask, trackerFault, type Patience } from './ask.js';
import { bug, bugFields, statusField, type Bug, type StatusField } from './bugs.js';

/**
 * Numbers of errors, of Bugzilla's own WS_ERROR_CODE (Bugzilla/WebService/Constants.pm). They are looked at instead of the status
 * of HTTP: what is 400 in one Bugzilla is 404 in another.
 */
const NO_SUCH_ALIAS = 100;
const NO_SUCH_ID = 101;
const ALIAS_REFUSED = 103;
const KEY_REFUSED = new Set([300, 301, 306, 410]);

const failure = z.object({ error: z.literal(true), code: z.union([z.number(), z.string().transform(Number)]), message: z.string() });
const bugs = z.object({ bugs: z.array(bug) });
const made = z.object({ id: z.number().int().positive() });
/** Of `GET /rest/bug/ID/comment`: the id of the bug is a key. */
const comments = z.object({ bugs: z.record(z.string(), z.object({ comments: z.array(z.object({ text: z.string() })) })) });

/** A no of Bugzilla: an outcome for whoever expects it, a fault for all others. */
type Refused = { refused: number; message: string };

/** The part of Bugzilla's REST API (5.0 and later, and bugzilla.mozilla.org's) that tickets need. */
export class BugzillaApi {
  private readonly who: string;

  constructor(
    private readonly url: string,
    private readonly key: ToldSecret,
    private readonly signal: AbortSignal,
    private readonly patience?: Patience,
  ) {
    this.who = `Bugzilla at ${new URL(url).host}`;
    // A header is a line of visible characters.
    if (!/^[\x21-\x7e]+$/.test(key.text.trim())) throw trackerFault(`The key for ${this.who} is no API key: it must be one line of letters and digits; set the secret that BERTH_TICKETS_SECRET names again`);
  }

  /** A bug by its number or alias; undefined when there is none. */
  async bug(idOrAlias: string): Promise<Bug | undefined> {
    const said = await this.ask('GET', `bug/${encodeURIComponent(idOrAlias)}?include_fields=${bugFields}`, bugs);
    if (!('refused' in said)) return said.bugs[0];
    if (said.refused === NO_SUCH_ALIAS || said.refused === NO_SUCH_ID) return undefined;
    throw this.fault(said);
  }

  /** Bugs for which all of it holds, the oldest first. */
  async search(terms: Record<string, string>): Promise<Bug[]> {
    const query = new URLSearchParams({ ...terms, include_fields: bugFields, order: 'bug_id', limit: '200' });
    return (await this.sure('GET', `bug?${query}`, bugs)).bugs;
  }

  /** Files a bug. @returns undefined when its alias is taken */
  async file(fields: Record<string, unknown>): Promise<number | undefined> {
    const said = await this.ask('POST', 'bug', made, fields);
    if (!('refused' in said)) return said.id;
    if (said.refused === ALIAS_REFUSED && 'alias' in fields) return undefined;
    throw this.fault(said);
  }

  async update(id: number, fields: Record<string, unknown>): Promise<void> {
    await this.sure('PUT', `bug/${id}`, z.object({ bugs: z.array(z.unknown()) }), fields);
  }

  /** The texts of its comments; the first is its description. */
  async comments(id: number): Promise<string[]> {
    const said = await this.sure('GET', `bug/${id}/comment?include_fields=text`, comments);
    return said.bugs[String(id)]?.comments.map(({ text }) => text) ?? [];
  }

  async statuses(): Promise<StatusField> {
    return this.sure('GET', 'field/bug/bug_status', statusField);
  }

  /** Where people see a bug. */
  shown(id: number): string {
    return `${this.url}/show_bug.cgi?id=${id}`;
  }

  private async sure<T>(method: 'GET' | 'POST' | 'PUT', path: string, schema: z.ZodType<T>, body?: Record<string, unknown>): Promise<T> {
    const said = await this.ask(method, path, schema, body);
    if (isRefused(said)) throw this.fault(said);
    return said;
  }

  private async ask<T>(method: 'GET' | 'POST' | 'PUT', path: string, schema: z.ZodType<T>, body?: Record<string, unknown>): Promise<T | Refused> {
    const { who, key } = this;
    // What is written is not written again when nobody knows what became of it: the job looks for it first when it tells again.
    const { status, json, shown } = await ask(
      {
        who, url: `${this.url}/rest/${path}`, method, repeatable: method === 'GET', mask: key.mask,
        headers: () => ({ 'X-BUGZILLA-API-KEY': key.text.trim(), ...(body && { 'content-type': 'application/json; charset=utf-8' }) }),
        ...(body && { body: JSON.stringify(body) }),
      },
      this.signal,
      this.patience,
    );
    const no = failure.safeParse(json);
    if (no.success && KEY_REFUSED.has(no.data.code)) throw trackerFault(`${who} does not take the API key (${no.data.code}): make a new one there and set the secret that BERTH_TICKETS_SECRET names`);
    if (no.success) return { refused: no.data.code, message: oneLine(key.mask(no.data.message), 300) };
    if (status < 200 || status > 299) throw trackerFault(`${who} answered ${status}: ${shown || 'nothing'}`);
    const yes = schema.safeParse(json);
    if (!yes.success) throw trackerFault(`${who} answered ${method} /rest/${path.split(/[?]/)[0]} with what its REST API does not say: is BERTH_TICKETS the URL of Bugzilla itself? It said: ${shown || 'nothing'}`);
    return yes.data;
  }

  private fault({ refused, message }: Refused): Error {
    return trackerFault(`${this.who} refused it (${refused}): ${message}`);
  }
}

const isRefused = (said: unknown): said is Refused => typeof said === 'object' && said !== null && 'refused' in said;
