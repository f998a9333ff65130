import { describe, expect, it } from 'vitest';
import { refusedVariable } from './variables.js';

describe('variables that must not take a value from a request', () => {
  it.each(['BASH_ENV', 'ENV', 'ZDOTDIR', 'PS4', 'PROMPT_COMMAND', 'SHELLOPTS', 'BASHOPTS', 'BASH_XTRACEFD', 'IFS', 'CDPATH', 'GLOBIGNORE', 'COMSPEC', 'PATHEXT', 'PSMODULEPATH', 'DOTNET_STARTUP_HOOKS', 'COR_ENABLE_PROFILING', 'BERTH_LEASE', 'BERTH_ACTION'])('are shell variables such as %s', (name) => {
    expect(refusedVariable(name)).toContain(`the variable ${name} cannot take a value from a request, because `);
  });

  it.each(['BASH_FUNC_ls%%', 'LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'DYLD_INSERT_LIBRARIES', 'COR_PROFILER', 'COR_PROFILER_PATH', 'CORECLR_PROFILER_PATH'])('are families such as %s', (name) => {
    expect(refusedVariable(name)).toMatch(/choose another name/);
  });

  it.each(['bash_env', 'ComSpec', 'PSModulePath', 'Ld_Preload'])('count in any case, as on Windows (%s)', (name) => {
    expect(refusedVariable(name)).toBeDefined();
  });

  it.each(['NODE_OPTIONS', 'PERL5OPT', 'PATH', 'HOME', 'ENVIRONMENT', 'BUILD_ENV', 'LDFLAGS', 'LD', 'CC', 'PS1', 'COR_ID', 'BERTH_URL', 'constructor', '__proto__', ''])('are not others (%s)', (name) => {
    expect(refusedVariable(name)).toBeUndefined();
  });

  it('are told in one line', () => {
    expect(refusedVariable('LD_\n\x1b[31m')).not.toMatch(/[\0-\x1f]/);
  });
});
