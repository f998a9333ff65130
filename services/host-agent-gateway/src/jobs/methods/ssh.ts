import { HostError } from '../../transports/errors.js';
import { DriverFault, type Call } from '../drivers/driver.js';
import { lacksLogin, loginOf } from '../machine.js';
import type { AttemptFault } from '@berth/contracts';
import type { Method } from './method.js';

/** The fixed text that the host is told: nothing in it comes from outside. In the background, so that the answer comes before the end. */
const POSIX = `if [ "$(id -u)" = 0 ]; then reboot; else sudo -n reboot; fi`;
const WINDOWS = 'shutdown /r /t 0 /f';

const faults: Partial<Record<HostError['code'], AttemptFault>> = { unreachable: 'unreachable', 'auth-failed': 'not-authorised', 'host-key-changed': 'key-changed', 'credential-invalid': 'no-secret', 'channel-refused': 'refused' };

/** The operating system is asked, over SSH. */
export const sshReboot: Method = {
  lacks: lacksLogin,
  async act({ machine, pool }, going, timeoutMs) {
    // Sent by a process before this one: whether it worked is seen from outside.
    if (going.has('sent')) return;
    const call = going.call(timeoutMs);
    const host = loginOf(machine)!;
    const transport = await ended(pool.connect(host), call).catch((error: unknown) => {
      throw hostFault(error);
    });
    await going.step('sent');
    try {
      const { code, stderr } = await ended(transport.exec(host.platform === 'windows' ? WINDOWS : POSIX), call);
      call.heard(stderr.toString('utf8').slice(-2000));
      if (code !== 0 && code < 128) throw new DriverFault('refused', `the command to reboot ended with ${code}`);
    } catch (error) {
      // It went down before it could answer, which is what it was told to do.
      if (error instanceof HostError && error.code === 'connection-lost') return;
      throw hostFault(error);
    }
  },
};

function hostFault(error: unknown): unknown {
  return error instanceof HostError ? new DriverFault(faults[error.code] ?? 'unknown-answer', error.message, '', { cause: error }) : error;
}

/** A promise, given up when the call is ended. */
function ended<T>(promise: Promise<T>, { signal }: Call): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    if (signal.aborted) stop();
  });
}
