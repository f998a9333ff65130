import type { ConnectionOptions } from 'node:tls';
import { createTransport } from 'nodemailer';
import type { MailSetting } from '@berth/runtime';
import { oneLine, toldSecret, type SecretStore } from '../told-secret.js';
import { Refused, type Notifier } from './notifier.js';

const CONNECT_MS = 10_000;
const SILENT_MS = 20_000;

/** What nodemailer adds to the errors of SMTP. */
type SmtpError = Error & { code?: string; responseCode?: number };

/**
 * Mail over SMTP (RFC 5321), to whom each notice names. A password goes over TLS alone: without it, a server that offers no STARTTLS
 * is an error (RFC 3207 says how somebody in between can hide the offer).
 *
 * @param tls more for the connection, such as an authority that the system does not know
 */
export function mailNotifier({ host, port, secure, from, login }: MailSetting, secrets: SecretStore, tls: ConnectionOptions = {}): Notifier {
  return {
    name: 'mail',
    wants: ({ to }) => to.length > 0,
    async tell({ subject, text, to }, key, signal) {
      const password = login && (await toldSecret(secrets, login.secret));
      const transport = createTransport({
        host, port, secure, tls,
        ...(login && password && { requireTLS: true, auth: { user: login.user, pass: password.text } }),
        connectionTimeout: CONNECT_MS, greetingTimeout: CONNECT_MS, socketTimeout: SILENT_MS,
        // A notice is text: nothing in it may name a file or a URL that is fetched into the mail.
        disableFileAccess: true, disableUrlAccess: true,
      });
      let end = () => {};
      const ended = new Promise<never>((_resolve, reject) => {
        end = () => reject(new Error('no answer in time'));
      });
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
      try {
        const { rejected } = await Promise.race([
          // A mail that comes twice, because its answer got lost, is the same mail: RFC 5322, section 3.6.4. Auto-Submitted is of RFC 3834: no out-of-office answers.
          transport.sendMail({ from: { name: 'Berth', address: from }, to: to.map((address) => ({ name: '', address })), subject, text, messageId: `<${key}@berth>`, headers: { 'Auto-Submitted': 'auto-generated' } }),
          ended,
        ]);
        if (rejected.length > 0) throw new Refused(`the mail server ${host}:${port} does not take ${rejected.length} of ${to.length} addresses`);
      } catch (error) {
        if (error instanceof Refused) throw error;
        const { message, code, responseCode } = error as SmtpError;
        const said = `the mail server ${host}:${port} did not take it: ${oneLine(password?.mask(message) ?? message, 300)}`;
        // 5xx: "permanent negative completion"; a login that is refused is one too, and is not tried until it is locked.
        if ((responseCode !== undefined && responseCode >= 500) || code === 'EAUTH' || code === 'ETLS') throw new Refused(said);
        throw new Error(said);
      } finally {
        signal.removeEventListener('abort', end);
        transport.close();
      }
    },
  };
}
