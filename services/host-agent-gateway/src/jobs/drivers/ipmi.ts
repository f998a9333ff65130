import type { AttemptFault, ManagementInterfaces } from '@berth/contracts';
import { DriverFault, lineOf, type Call, type Driver } from './driver.js';
import { lastLine, runProgram, type Ended } from './program.js';

type Ipmi = NonNullable<ManagementInterfaces['ipmi']>;

/** Two tries of two seconds, and longer each: silence is told after 10 s rather than the 20 of the program itself. A controller that is busy answers within that. */
const PATIENCE = ['-N', '2', '-R', '2'];

/**
 * IPMI over the network, by ipmitool. It says of a session that could not be opened why only with `-v`, and then in the words of
 * the protocol; that is where these come from (ipmitool 1.8.19, src/plugins/lan and lanplus). The first that fits counts.
 */
const FAULTS: readonly (readonly [RegExp, AttemptFault, string])[] = [
  [/Address lookup for \S+ failed/, 'unreachable', 'its address is not known'],
  [/RAKP 2 HMAC is invalid|invalid integrity check value|unauthorized name|Invalid user name/i, 'not-authorised', 'it does not know the user, or not with this password'],
  [/invalid role|unauthorized role|unauthorized GUID|privilege level exceeds limit|Insufficient privilege level|Set Session Privilege Level to \S+ failed/i, 'not-authorised', 'the user has not the privilege level that it needs'],
  [/invalid (?:authentication|integrity|confidentiality) algorithm|no matching \S+ payload|no cipher suite match/i, 'refused', 'it has not the cipher suite that was asked for: set another one'],
  [/insufficient resources|Node busy/i, 'refused', 'it is busy: it has no room for one more session'],
  [/password is longer than/i, 'refused', 'the password is longer than IPMI allows'],
  // A controller of IPMI 1.5 gives no answer to a password that it does not like.
  [/Activate Session command failed|Activate Session error/, 'not-authorised', 'it knows the user, and opened no session with this password'],
  [/Unable to establish|Could not open socket|No response from remote controller|Get Auth Capabilities/i, 'unreachable', 'it gives no answer'],
  [/ failed: |command failed|Error in |Unable to /i, 'refused', 'it refused'],
];

export function ipmi(at: Ipmi): Driver {
  const where = `The IPMI controller at ${at.address}`;

  const fault = ({ stdout, stderr, code }: Ended): DriverFault => {
    const said = [stdout, stderr].filter((text) => text.trim() !== '').join('\n').slice(-4_096);
    const known = FAULTS.find(([words]) => words.test(said));
    const words = lastLine(stderr) || lastLine(stdout);
    if (known === undefined) return new DriverFault('unknown-answer', `${where} could not be asked: ipmitool ended with ${code}${words && ` and said: ${words}`}`, said);
    return new DriverFault(known[1], `${where} could not be asked, since ${known[2]}${known[1] === 'unreachable' || words === '' ? '.' : ` (${words}).`}`, said);
  };

  const run = async (call: Call, command: readonly string[], verbose = true): Promise<Ended> => {
    const password = await lineOf(call, at.password);
    const cipher = at.cipher === undefined || at.interface === 'lan' ? [] : ['-C', String(at.cipher)];
    return runProgram(call, {
      program: 'ipmitool',
      args: [...(verbose ? ['-v'] : []), '-I', at.interface, '-H', at.address, '-p', String(at.port), '-U', at.user, '-L', at.level, ...PATIENCE, ...cipher, '-E', ...command],
      env: { IPMI_PASSWORD: password },
      secrets: [password],
    });
  };

  /** Has it done; what it says must show that it was. */
  const ask = async (call: Call, command: readonly string[], shows: RegExp): Promise<RegExpExecArray> => {
    const ended = await run(call, command);
    if (ended.code !== 0) throw fault(ended);
    const shown = shows.exec(ended.stdout);
    if (shown === null) throw new DriverFault('unknown-answer', `${where} gave an answer that is not understood: ${lastLine(ended.stdout) || 'nothing'}`, ended.stdout.slice(-4_096));
    return shown;
  };
  const control = async (call: Call, what: string): Promise<void> => void (await ask(call, ['chassis', 'power', what], /^Chassis Power Control: /m));

  return {
    power: async (call) => ((await ask(call, ['chassis', 'power', 'status'], /^Chassis Power is (on|off)\s*$/m))[1] as 'on' | 'off'),
    on: (call) => control(call, 'on'),
    off: (call, hard) => control(call, hard ? 'off' : 'soft'),
    reset: (call) => control(call, 'reset'),
    bootFromNetwork: async (call) => void (await ask(call, ['chassis', 'bootdev', 'pxe'], /^Set Boot Device to pxe/m)),
    log: async (call, most) => {
      const list = ['sel', 'list', 'last', String(most)];
      // With -v each entry takes a dozen lines.
      const ended = await run(call, list, false);
      if (ended.code !== 0) {
        // Without it there is no reason in what it says, and the same again with it has the same one.
        const again = await run(call, list);
        throw fault(again.code === 0 ? ended : again);
      }
      return ended.stdout.split('\n').map((line) => line.trim()).filter((line) => /^[0-9a-f]+\s*\|/i.test(line)).slice(-most);
    },
  };
}
