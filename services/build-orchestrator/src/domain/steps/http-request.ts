import { stepSchemas, TEMPLATE } from '@berth/contracts';
import { ids } from '../ids.js';
import type { Scope } from '../language/expression.js';
import { render } from '../language/template.js';
import { failed, passed, renderAll, withOf, type OwnKind } from './kind.js';

/** An answer is waited for so long, unless the step says otherwise. */
const TIMEOUT_MS = 60_000;
/** Half a character can't stand in a URL: `encodeURIComponent` throws on it. */
const wellFormed = (value: string): string => Buffer.from(value).toString();
/** Of an answer so much is kept as the output `body`, in characters. */
const BODY = 4096;

/**
 * `uses: http-request`: passed when the answer has one of the statuses expected. Sent at least once: after a crash of the
 * service it may be sent again, with the same Idempotency-Key.
 */
export const httpRequest: OwnKind = {
  on: 'nothing',
  schema: stepSchemas['http-request'],
  written: '`uses: http-request` with `url`, and `method`, `headers`, `body`, `secret`, `expect`',
  look(context) {
    const { url: source, method, headers = {}, body: content, secret, expect } = withOf<'http-request'>(context);
    const { scope, action, step } = context;
    const asked = ids.ask(action, 'http');
    const reply = context.view.reply(asked);
    if (reply?.kind === 'failed') return failed(reply.error);
    if (reply?.kind === 'http') {
      const fine = expect ? expect.includes(reply.status) : reply.status >= 200 && reply.status < 300;
      const outputs = { status: String(reply.status), body: reply.body.slice(0, BODY) };
      if (fine) return passed({ outputs });
      return { verdict: { outcome: 'failed', error: `the answer was ${reply.status}, not ${expect ? expect.join(' or ') : '2xx'}`, outputs, ...(reply.body !== '' && { tail: reply.body.slice(0, 1024) }) } };
    }
    const url = urlOf(source, scope);
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) return failed(`url is ${JSON.stringify(url)}: use an http or https URL`);
    const isText = typeof content === 'string';
    const body = content === undefined ? undefined : isText ? render(content, scope) : JSON.stringify(renderAll(content, scope));
    const own: Record<string, string> = { 'idempotency-key': action, ...(body !== undefined && { 'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json' }) };
    for (const [name, value] of Object.entries(headers)) own[name.toLowerCase()] = render(value, scope).replaceAll(/[\r\n\0]/g, ' ');
    return { due: [{ to: 'http', id: asked, request: { url, method: method ?? (body === undefined ? 'GET' : 'POST'), headers: own, ...(body !== undefined && { body }), ...(secret !== undefined && { secret }), timeoutMs: Math.min(step.timeout ?? TIMEOUT_MS, 3_600_000) } }] };
  },
};

/** A value in a URL is data in one of its parts, never a part of its own; only one that the URL begins with is the beginning of one itself. */
function urlOf(source: string, scope: Scope): string {
  let begun = false;
  return render(source, scope, (value) => {
    const first = !begun && source.startsWith(TEMPLATE);
    begun = true;
    return first ? value : encodeURIComponent(wellFormed(value));
  });
}
