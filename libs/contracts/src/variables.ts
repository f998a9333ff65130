/**
 * Names of environment variables whose value a shell or a dynamic loader runs, or lets decide what it runs, by itself. A
 * command line reads every other variable only where its author wrote so: a value that somebody else gives (with a request, or in
 * the message of a webhook) stays a value. With one of these names it would become code of its own, whatever the author wrote.
 *
 * Not here: variables of single programs (NODE_OPTIONS, PERL5OPT, PYTHONPATH, MAKEFLAGS, GIT_SSH_COMMAND, PATH). Builds need
 * them, and a plan hands them on only when its author names them.
 */
const NAMES: Readonly<Record<string, string>> = {
  BASH_ENV: 'bash runs the file that it names before every script',
  ENV: 'sh runs the file that it names',
  ZDOTDIR: 'zsh runs the start files of the folder that it names',
  PS4: 'a shell expands it, commands included, for every line that it traces',
  PROMPT_COMMAND: 'bash runs it before every prompt',
  SHELLOPTS: 'bash switches its own options by it, tracing among them',
  BASHOPTS: 'bash switches its own options by it',
  BASH_XTRACEFD: 'bash writes its trace where it says',
  IFS: 'a shell splits every unquoted value by it',
  CDPATH: 'a shell looks there first when a script changes its folder',
  GLOBIGNORE: 'bash leaves out the files that it names wherever a script asks for all',
  COMSPEC: 'Windows starts the program that it names as cmd',
  PATHEXT: 'Windows decides by it which files are programs',
  PSMODULEPATH: 'PowerShell loads modules from the folders that it names',
  DOTNET_STARTUP_HOOKS: '.NET runs the library that it names in every program, PowerShell too',
  COR_ENABLE_PROFILING: '.NET loads a profiler by it into every program, PowerShell too',
  BERTH_ACTION: 'Berth knows the processes of a command by it',
  BERTH_LEASE: 'Berth knows the processes of a lease by it',
};

const FAMILIES: readonly { begins: string; why: string }[] = [
  { begins: 'BASH_FUNC_', why: 'bash defines a function from it' },
  { begins: 'LD_', why: 'the dynamic loader of Linux loads libraries by it into every program' },
  { begins: 'DYLD_', why: 'the dynamic loader of macOS loads libraries by it into every program' },
  { begins: 'COR_PROFILER', why: '.NET loads a profiler by it into every program, PowerShell too' },
  { begins: 'CORECLR_', why: '.NET loads a profiler by it into every program, PowerShell too' },
];

/**
 * Why a variable of this name must not take a value from a request: one sentence that says why and what to do, or nothing for a
 * name that may. Letters count whatever their case, because Windows takes `Bash_Env` and `BASH_ENV` for the same.
 */
export function refusedVariable(name: string): string | undefined {
  const upper = name.toUpperCase();
  const why = (Object.hasOwn(NAMES, upper) ? NAMES[upper] : undefined) ?? FAMILIES.find(({ begins }) => upper.startsWith(begins))?.why;
  if (why === undefined) return undefined;
  return `the variable ${printable(name)} cannot take a value from a request, because ${why}: choose another name, and set this one in the command itself where it is needed`;
}

const printable = (name: string): string => name.replace(/[\0-\x1f\x7f]/g, '?').slice(0, 64);
