import { HostError } from '../../transports/errors.js';

function withoutNul(value: string): string {
  if (value.includes('\0')) throw new HostError('invalid-value', 'A value with a NUL byte cannot be passed to a command.');
  return value;
}

/**
 * A PowerShell literal that stands for exactly `value`: inside single quotes nothing is special but the quote itself, and
 * PowerShell takes four typographic ones for the same.
 * @throws HostError `invalid-value` for a NUL
 */
export function psQuote(value: string): string {
  return `'${withoutNul(value).replace(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
}

/**
 * One argument of a Windows command line, as CommandLineToArgvW and the C runtime take it apart: backslashes count only before a
 * quote, where each stands for half of one. Not for cmd, which reads the line before (see `CMD_LINE`).
 * @throws HostError `invalid-value` for a NUL
 */
export function argvQuote(value: string): string {
  if (value !== '' && !/[\s"\0]/.test(value)) return value;
  return `"${withoutNul(value).replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}

/** A path as the SFTP server of Windows writes it, `/C:/Users/x`, as programs there do: `C:\Users\x`. */
export function nativePath(path: string): string {
  return /^\/[A-Za-z]:(\/|$)/.test(path) ? path.slice(1).replaceAll('/', '\\') + (path.length === 3 ? '\\' : '') : path;
}

/** The other way round. */
export function sftpPath(path: string): string {
  return /^[A-Za-z]:([\\/]|$)/.test(path) ? `/${path.replaceAll('\\', '/')}`.replace(/(?<=.{4})\/$/, '') : path;
}

/** UTF-16 in base64, as `powershell -EncodedCommand` wants it: letters, digits, `+`, `/` and `=`, special to no shell. */
export function encodedCommand(text: string): string {
  return Buffer.from(text, 'utf16le').toString('base64');
}
