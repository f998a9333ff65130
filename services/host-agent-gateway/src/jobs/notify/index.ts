import type { Config, Metrics } from '@berth/runtime';
import type { SecretStore } from '../told-secret.js';
import { chatNotifier } from './chat.js';
import { ircNotifier } from './irc.js';
import { mailNotifier } from './mail.js';
import { Notify, type NoticeLog } from './notify.js';

export { Notify } from './notify.js';
export type { Notice } from './notifier.js';

/** Who is told of jobs, by BERTH_SMTP, BERTH_CHAT_SECRET and BERTH_IRC; nobody when none is set. Once for a process: it makes a metric. */
export function createNotify({ mail, chat, irc, publicUrl }: Pick<Config, 'mail' | 'chat' | 'irc' | 'publicUrl'>, secrets: SecretStore, log: NoticeLog, metrics: Metrics): Notify {
  const notifiers = [...(mail ? [mailNotifier(mail, secrets)] : []), ...(chat ? [chatNotifier(chat, secrets)] : []), ...(irc ? [ircNotifier(irc, secrets)] : [])];
  return new Notify(notifiers, publicUrl, log, metrics);
}
