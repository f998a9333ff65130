import { berthHome, readCliConfig, type CliConfig } from '@berth/client';

/** What the checks on this machine look at. */
export interface Place {
  env: NodeJS.ProcessEnv;
  home: string;
  /** whether the installation is the one of the state folder, and not one elsewhere that BERTH_URL names */
  local: boolean;
  /** how to reach the console; absent when that is what is wrong */
  access: CliConfig | undefined;
  /** why it is absent */
  accessFault: string | undefined;
}

/** Reads where Berth is; that this fails is a finding too. */
export function placeOf(env: NodeJS.ProcessEnv, cwd: string): Place {
  const home = berthHome(env, cwd);
  const place = { env, home, local: !env['BERTH_URL']?.trim() };
  try {
    return { ...place, access: readCliConfig(env, cwd), accessFault: undefined };
  } catch (error) {
    return { ...place, access: undefined, accessFault: (error as Error).message };
  }
}
