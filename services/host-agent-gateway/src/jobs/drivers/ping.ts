import { DriverFault, type Call } from './driver.js';
import { lastLine, runProgram } from './program.js';

/**
 * Whether a machine answers: all of `count` packets, within `seconds`.
 * @throws DriverFault `no-program` where no ping can be sent, so that nobody takes a machine for down that wasn't asked
 */
export async function ping(call: Call, address: string, { count = 4, seconds = 5 } = {}): Promise<boolean> {
  const { code, stdout, stderr } = await runProgram(call, { program: 'ping', args: ['-n', '-c', String(count), '-w', String(seconds), '--', address] });
  if (code === 0) return true;
  const said = `${stdout}\n${stderr}`.trim();
  if (/Operation not permitted|permission denied|lacking privilege|cap_net_raw/i.test(said)) {
    throw new DriverFault('no-program', 'ping may not be used by the account that the gateway runs as: let it with "setcap cap_net_raw+ep" on the program, or with sysctl net.ipv4.ping_group_range.', said);
  }
  if (code === 1) return false;
  if (/not known|Temporary failure in name resolution|No address associated|Name or service/i.test(said)) throw new DriverFault('unreachable', `The address ${address} is not known where the gateway runs.`, said);
  if (/Network is unreachable/i.test(said)) throw new DriverFault('unreachable', `The gateway has no way into the network of ${address}.`, said);
  throw new DriverFault('unknown-answer', `ping could not say whether ${address} is up: it ended with ${code} and said: ${lastLine(said)}`, said);
}
