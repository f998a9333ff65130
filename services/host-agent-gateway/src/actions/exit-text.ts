/** A shell gives this and the number of the signal. */
const SIGNALLED = 128;

/** Signals whose numbers are the same everywhere, and what is known of them besides their names. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL: the program has an instruction that this host does not know',
  6: 'SIGABRT: the program gave up',
  8: 'SIGFPE: the program crashed in its arithmetic',
  9: 'SIGKILL, from outside: often the host had no memory left',
  11: 'SIGSEGV: the program crashed',
  13: 'SIGPIPE: it wrote to a program that had ended',
  14: 'SIGALRM',
  15: 'SIGTERM, from outside',
  24: 'SIGXCPU: it used more of the processor than is allowed on this host',
  25: 'SIGXFSZ: a file got larger than is allowed on this host',
};

/** The sentence of a command that ended otherwise than with 0, and what to do where that is known. */
export function exitText(code: number, about: { tail: string; full: boolean; host: string; folder: string }): string {
  const why = [meaning(code), room(about)].filter((part) => part !== undefined);
  return [`exit code ${code}`, ...why].join(why.length > 0 ? ': ' : '');
}

function meaning(code: number): string | undefined {
  if (code === 126) return 'a command was found and could not be run; make it executable (chmod +x) and see that it is made for this host';
  if (code === 127) return 'a command was not found; install it on the host or ask for a host that has it';
  const signal = SIGNALS[code - SIGNALLED];
  return signal === undefined ? undefined : `it was ended by ${signal}`;
}

function room({ tail, full, host, folder }: { tail: string; full: boolean; host: string; folder: string }): string | undefined {
  if (full) return `host ${host} could not keep all that it printed; see that the disk of ${folder}/actions there has room left`;
  if (/no space left on device|ENOSPC/i.test(tail)) return `a disk of host ${host} was full; free some room there or ask for a host with more`;
  return undefined;
}
