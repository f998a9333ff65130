import type { ManagementInterfaces } from '@berth/contracts';
import { SaxesParser } from 'saxes';
import { createPlant, type Plant, type PlantOptions } from './plant.testing.js';
import { startWeb, type TestWeb } from './web.testing.js';

type IloAt = NonNullable<ManagementInterfaces['ilo']>;

export interface IloOptions extends PlantOptions {
  /** The user may look and not switch. */
  readOnly?: boolean;
}

/** An iLO 3 or newer, which takes RIBCL by HTTP and refuses what RIBCL does not have. */
export interface TestIlo extends TestWeb {
  readonly plant: Plant;
  /** What was done, in order. */
  readonly done: string[];
  readonly login: { user: string; password: string };
  /** As it is set in Berth; `password` is the secret `ilo-password`. */
  at(changes?: Partial<IloAt>): IloAt;
}

interface Element {
  name: string;
  attributes: Record<string, string>;
}

/** Several documents one after the other, the first of which closes its outermost element too early: so it is. */
const answer = (...contents: string[]): string => contents.map((content) => `<?xml version="1.0"?>\r\n<RIBCL VERSION="2.23">\r\n${content}\r\n</RIBCL>\r\n`).join('');
const response = (status: string, message: string): string => `<RESPONSE\r\n    STATUS="${status}"\r\n    MESSAGE='${message}'\r\n     />`;
const FINE = response('0x0000', 'No error');

export async function startIlo(options: IloOptions = {}): Promise<TestIlo> {
  const login = { user: 'Administrator', password: `I<1"0>&'2` };
  const plant = createPlant(options);
  const done: string[] = [];

  const commands: Record<string, { mode: 'read' | 'write'; attributes?: Record<string, RegExp>; run(attributes: Record<string, string>): string }> = {
    GET_HOST_POWER_STATUS: { mode: 'read', run: () => `${FINE}\r\n<GET_HOST_POWER\r\n    HOST_POWER="${plant.isOn() ? 'ON' : 'OFF'}"\r\n/>` },
    SET_HOST_POWER: {
      mode: 'write',
      attributes: { HOST_POWER: /^(?:Yes|No)$/ },
      run: ({ HOST_POWER: wanted }) => {
        if ((wanted === 'Yes') === plant.isOn()) return response('0x0054', `Host power is already ${plant.isOn() ? 'ON' : 'OFF'}.`);
        done.push(`SET_HOST_POWER ${wanted}`);
        if (wanted === 'Yes') plant.power(true);
        else plant.shutdown();
        return FINE;
      },
    },
    HOLD_PWR_BTN: {
      mode: 'write',
      run: () => {
        done.push('HOLD_PWR_BTN');
        plant.power(!plant.isOn());
        return FINE;
      },
    },
    RESET_SERVER: {
      mode: 'write',
      run: () => {
        if (!plant.isOn()) return response('0x0055', 'Server power is OFF; it can not be reset.');
        done.push('RESET_SERVER');
        plant.reset();
        return FINE;
      },
    },
  };

  const ribcl = (body: string): string => {
    const path = elements(body);
    const [root, entry, info, command] = path;
    if (path.length !== 4 || root?.name !== 'RIBCL' || root.attributes['VERSION'] !== '2.0' || entry?.name !== 'LOGIN' || info?.name !== 'SERVER_INFO') return answer(response('0x0001', 'Syntax error: Line #1: unexpected element.'));
    if (entry.attributes['USER_LOGIN'] !== login.user || entry.attributes['PASSWORD'] !== login.password) return answer(FINE, response('0x005F', 'Login failed.'));
    const known = commands[command?.name ?? ''];
    if (command === undefined || known === undefined) return answer(FINE, response('0x0001', `Syntax error: ${command?.name ?? ''} is not known.`));
    if (info.attributes['MODE'] !== known.mode) return answer(FINE, response('0x0039', 'The value of MODE is wrong.'));
    const wanted = known.attributes ?? {};
    const names = Object.keys(command.attributes);
    if (names.sort().join() !== Object.keys(wanted).sort().join() || names.some((name) => !wanted[name]?.test(command.attributes[name] ?? ''))) return answer(FINE, response('0x0001', 'Syntax error: a wrong attribute.'));
    if (known.mode === 'write' && options.readOnly) return answer(FINE, response('0x0023', 'User does NOT have correct privilege for action. RESET_SERVER_PRIV required.'));
    return answer(FINE, known.run(command.attributes), FINE).replace('<RIBCL VERSION="2.23">', '<RIBCL VERSION="2.23"/>');
  };

  const web = await startWeb(({ method, path, body }) => {
    if (method !== 'POST' || path !== '/ribcl') return { status: 404 };
    if (!body.startsWith('<?xml version="1.0"?>\r\n')) return { status: 400 };
    return { status: 200, headers: { 'Content-Type': 'text/xml' }, body: ribcl(body) };
  });
  return {
    ...web,
    plant,
    done,
    login,
    at: (changes = {}) => ({ url: web.url, user: login.user, password: 'ilo-password', certificate: web.certificate, ...changes }),
    stop: async () => {
      plant.stop();
      await web.stop();
    },
  };
}

/** The elements of a document, each inside of the one before. */
function elements(body: string): Element[] {
  const found: Element[] = [];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => void found.push({ name, attributes }));
  parser.on('error', (error) => {
    throw error;
  });
  parser.write(body).close();
  return found;
}
