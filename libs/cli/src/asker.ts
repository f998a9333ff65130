import { userInfo } from 'node:os';

/** Login name of whoever runs the program. */
export function whoIsAsking(otherwise: string): string {
  try {
    return userInfo().username;
  } catch {
    return otherwise; // a user id without an entry in the system's list
  }
}
