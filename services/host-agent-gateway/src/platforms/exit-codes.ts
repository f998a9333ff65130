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

export function posixMeaning(code: number): string | undefined {
  if (code === 126) return 'a command was found and could not be run; make it executable (chmod +x) and see that it is made for this host';
  if (code === 127) return 'a command was not found; install it on the host or ask for a host that has it';
  const signal = SIGNALS[code - SIGNALLED];
  return signal === undefined ? undefined : `it was ended by ${signal}`;
}

/** Codes of Windows' own, of cmd, and those that the runner gives; NTSTATUS values as the 32 bits that a program ends with. */
const ON_WINDOWS: Readonly<Record<number, string>> = {
  126: 'the command could not be run; see that it is made for this host',
  127: 'the command was not found; install it on the host or ask for a host that has it',
  9009: 'a command was not found; install it on the host or ask for a host that has it',
  0xc0000005: 'the program crashed (access violation)',
  0xc0000017: 'the host had no memory left',
  0xc000001d: 'the program has an instruction that this host does not know',
  0xc00000fd: 'the program crashed (its stack was full)',
  0xc0000135: 'a library (DLL) that the program needs was not found; install it on the host',
  0xc000013a: 'it was ended by CTRL+C or CTRL+BREAK',
  0xc0000142: 'a library (DLL) that the program needs could not be started',
  0xc0000409: 'the program crashed and gave up',
};

export const windowsMeaning = (code: number): string | undefined => ON_WINDOWS[code >>> 0];
