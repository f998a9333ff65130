import { sendHttp } from '@berth/runtime';
import { toldSecret, type SecretStore } from '../told-secret.js';
import { Refused, type Notifier } from './notifier.js';

const ANSWER_MS = 10_000;
/** No that means "not now": RFC 9110, 6585. */
const isNotNow = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/**
 * A webhook that takes `{"text"}`, as those of Slack, Mattermost, Rocket.Chat and Google Chat do. Its URL is the secret: whoever has
 * it can write there. So no error says anything of it, and a redirect is not followed.
 */
export function chatNotifier({ secret }: { secret: string }, secrets: SecretStore): Notifier {
  return {
    name: 'chat',
    wants: () => true,
    async tell({ line }, key, signal) {
      const url = (await toldSecret(secrets, secret)).text.trim();
      if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new Refused(`The secret ${secret} is no URL: it must be that of the webhook of a chat, such as https://chat.example/hooks/KEY`);
      const reply = await sendHttp(
        { url, method: 'POST', headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'Berth', 'idempotency-key': key }, body: JSON.stringify({ text: line }), timeoutMs: ANSWER_MS, redirects: 'refuse' },
        signal,
      );
      if (reply.kind === 'failed') throw new Error(`the chat did not take it: ${reply.error.replaceAll(url, 'it').replaceAll(new URL(url).host, 'it')}`);
      if (reply.status >= 200 && reply.status < 300) return;
      const said = `the chat answered ${reply.status}${reply.status >= 300 && reply.status < 400 ? ': it redirects, which is not followed' : ''}`;
      throw isNotNow(reply.status) ? new Error(said) : new Refused(said);
    },
  };
}
