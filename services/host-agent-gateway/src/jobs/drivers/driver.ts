import type { AttemptFault } from '@berth/contracts';

/** What a management interface says of the power of a machine. */
export type Power = 'on' | 'off' | 'unknown';

/** Why an interface did not do what it was asked for. The message has no secret in it. */
export class DriverFault extends Error {
  constructor(
    readonly fault: AttemptFault,
    message: string,
    /** the last of what it said, without secrets */
    readonly output = '',
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'DriverFault';
  }
}

/** What a driver is given for one call. */
export interface Call {
  /** Ends it: a time is up, the job was cancelled, the service stops. A driver that is told so throws a `DriverFault` of class `timeout` or `cancelled`, whichever `signal.reason` is (a DriverFault). */
  signal: AbortSignal;
  /** The value of a secret by its name. @throws DriverFault `no-secret` */
  secret(name: string): Promise<string>;
  /** Told of what the interface says, for the record of the attempt. Secrets are masked by whoever is told. */
  heard(text: string): void;
}

/** What a driver throws once its signal is set. */
export function endOf(signal: AbortSignal): DriverFault {
  const reason: unknown = signal.reason;
  return reason instanceof DriverFault ? reason : new DriverFault('cancelled', 'It was told to end.', '', { cause: reason });
}

/** A secret that goes where only one line of text can. @throws DriverFault `no-secret` */
export async function lineOf(call: Call, name: string): Promise<string> {
  const value = await call.secret(name);
  if (value === '' || /[\u0000-\u001f\u007f]/.test(value)) throw new DriverFault('no-secret', `The secret ${name} is empty or has a line break or another control character in it, which no password has: set it again.`);
  return value;
}

/** A way to a machine from outside of it. Each method does one thing, once, and throws `DriverFault`. What an interface has not is absent. */
export interface Driver {
  power?(call: Call): Promise<Power>;
  on?(call: Call): Promise<void>;
  /** `hard`: as if the plug were pulled; otherwise the operating system is asked to shut down */
  off?(call: Call, hard: boolean): Promise<void>;
  /** As if the reset button were pressed. */
  reset?(call: Call): Promise<void>;
  /** The next start is from the network, once. */
  bootFromNetwork?(call: Call): Promise<void>;
  /** The newest entries of its event log, the newest last; at most `most`. */
  log?(call: Call, most: number): Promise<string[]>;
}
