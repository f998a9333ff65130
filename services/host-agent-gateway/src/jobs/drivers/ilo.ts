import { SaxesParser } from 'saxes';
import type { ManagementInterfaces } from '@berth/contracts';
import { DriverFault, endOf, lineOf, type Call, type Driver } from './driver.js';
import { askWeb, open, pathOf } from './http.js';
import { masked } from './program.js';

type Ilo = NonNullable<ManagementInterfaces['ilo']>;

const MOST = 256 * 1024;
/** Of `RESPONSE`: the login was refused. Of iLO 1 and 2, and of 3 and newer. */
const LOGIN_FAILED = new Set([0x000a, 0x005f]);

/** HP's iLO, in RIBCL: iLO 3 and newer take it by HTTP, iLO 2 on the bare connection. */
export function ilo(at: Ilo): Driver {
  const web = { what: 'The iLO', url: at.url, certificate: at.certificate };
  const where = `The iLO at ${new URL(at.url).host}`;

  const send = async (call: Call, body: string): Promise<string> => {
    const reply = await askWeb(call, web, { method: 'POST', path: pathOf(web, '/ribcl'), headers: { 'Content-Type': 'text/xml' }, body });
    if (reply.status === 200) return reply.body;
    if (reply.status === 404) return bare(call, body);
    throw new DriverFault('unknown-answer', `${where} answers with HTTP ${reply.status}.`);
  };
  /** As iLO 2 wants it: the XML on the connection, and the answer until it is closed. */
  const bare = async (call: Call, body: string): Promise<string> => {
    const socket = await open(call, web);
    const abort = (): void => void socket.destroy();
    call.signal.addEventListener('abort', abort, { once: true });
    try {
      socket.write(body);
      let said = '';
      socket.setEncoding('utf8');
      for await (const chunk of socket as AsyncIterable<string>) {
        said += chunk;
        if (said.length > MOST) throw new DriverFault('unknown-answer', `${where} answers with more than ${MOST / 1024} KiB.`);
      }
      return said;
    } catch (error) {
      if (error instanceof DriverFault) throw error;
      if (call.signal.aborted) throw endOf(call.signal);
      throw new DriverFault('unreachable', `${where} ended the connection: ${(error as Error).message}.`, '', { cause: error });
    } finally {
      call.signal.removeEventListener('abort', abort);
      socket.destroy();
    }
  };

  /** Has it done. `already`: what the iLO calls an error and is none for us. */
  const ask = async (call: Call, mode: 'read' | 'write', command: string, already?: RegExp): Promise<Map<string, Attributes>> => {
    const password = await lineOf(call, at.password);
    const body = `<?xml version="1.0"?>\r\n<RIBCL VERSION="2.0"><LOGIN USER_LOGIN="${escaped(at.user)}" PASSWORD="${escaped(password)}"><SERVER_INFO MODE="${mode}">${command}</SERVER_INFO></LOGIN></RIBCL>\r\n`;
    const secrets = [password, escaped(password)];
    const said = masked(await send(call, body), secrets);
    const elements = new Map<string, Attributes>();
    let responses = 0;
    for (const [name, attributes] of elementsOf(said, where)) {
      if (name !== 'RESPONSE') elements.set(name, attributes);
      else {
        responses += 1;
        const status = Number.parseInt(attributes['STATUS'] ?? '', 16);
        const message = attributes['MESSAGE'] ?? '';
        if (status === 0) continue;
        call.heard(`${attributes['STATUS'] ?? 'no status'} ${message}`);
        if (already?.test(message)) continue;
        throw fault(status, message, said);
      }
    }
    if (responses === 0) throw new DriverFault('unknown-answer', `${where} does not answer in RIBCL.`, said.slice(0, 4_096));
    return elements;
  };

  const fault = (status: number, message: string, said: string): DriverFault => {
    const output = said.slice(-4_096);
    if (LOGIN_FAILED.has(status) || /login (?:failed|name was not found|credentials rejected)/i.test(message)) return new DriverFault('not-authorised', `${where} does not know the user, or not with this password (${message}).`, output);
    if (/privilege|PRIV_required/i.test(message)) return new DriverFault('not-authorised', `${where} does not allow this to the user (${message}).`, output);
    return new DriverFault('refused', `${where} refused: ${message || 'without a reason'}.`, output);
  };

  const power = async (call: Call): Promise<'on' | 'off'> => {
    const state = (await ask(call, 'read', '<GET_HOST_POWER_STATUS/>')).get('GET_HOST_POWER')?.['HOST_POWER'];
    if (state !== 'ON' && state !== 'OFF') throw new DriverFault('unknown-answer', `${where} does not say whether its server is on.`);
    return state === 'ON' ? 'on' : 'off';
  };

  return {
    power,
    on: async (call) => void (await ask(call, 'write', '<SET_HOST_POWER HOST_POWER="Yes"/>', /already ON/i)),
    off: async (call, hard) => {
      if (!hard) return void (await ask(call, 'write', '<SET_HOST_POWER HOST_POWER="No"/>', /already OFF/i));
      // To hold the button of a server that is off would switch it on.
      if ((await power(call)) === 'on') await ask(call, 'write', '<HOLD_PWR_BTN/>', /already OFF/i);
    },
    reset: async (call) => void (await ask(call, 'write', '<RESET_SERVER/>')),
  };
}

type Attributes = Readonly<Record<string, string>>;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** A text as the value of an attribute. */
export function escaped(value: string): string {
  return value.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

/** The elements of an answer, which is several documents one after the other. @throws DriverFault */
function elementsOf(said: string, where: string): [string, Attributes][] {
  const found: [string, Attributes][] = [];
  for (const document of said.split(/(?=<\?xml)/)) {
    if (document.trim() === '') continue;
    const parser = new SaxesParser();
    parser.on('opentag', ({ name, attributes }) => found.push([name, attributes]));
    parser.on('error', (error) => {
      throw new DriverFault('unknown-answer', `${where} answers with what is no XML.`, said.slice(0, 4_096), { cause: error });
    });
    // Some versions close the outermost element where they should open it.
    parser.write(document.trim().replace(/^(<\?xml[^>]*>\s*<RIBCL VERSION="[\d.]+")\s*\/>(?=[\s\S]*<\/RIBCL>)/, '$1>')).close();
  }
  return found;
}
