import type { Command, OptionValues } from 'commander';
import { berthHome, httpClient, readCliConfig, type BerthHttp } from '@berth/client';
import { whoIsAsking } from './asker.js';
import { considerations } from './considered.js';
import { printable } from './text.js';
import type { Failure } from './failure.js';
import type { Sink } from './sink.js';

/** Of a terminal, where there is one. */
interface Keys {
  isTTY?: boolean | undefined;
  setRawMode?(on: boolean): unknown;
  destroy?(): unknown;
}

/** What the commands work with; the process's own, or a spec's. */
export interface Io {
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** what `-` reads; the process's own when absent */
  stdin?: (AsyncIterable<string | Uint8Array> & Keys) | undefined;
  stdout: Sink & { isTTY?: boolean | undefined; columns?: number | undefined; rows?: number | undefined; on?(event: 'resize', listener: () => void): unknown; off?(event: 'resize', listener: () => void): unknown };
  stderr: Sink & { isTTY?: boolean | undefined; columns?: number | undefined };
}

/** One run of the program: where results and remarks go, and the way to Berth. */
export class Context {
  json = false;
  private known: BerthHttp | undefined;

  constructor(readonly io: Io) {}

  get berth(): BerthHttp {
    this.known ??= httpClient(readCliConfig(this.io.env, this.io.cwd));
    return this.known;
  }

  /**
   * In whose name things are asked for. With the token of the installation everybody is its administrator, so the login name
   * says who; any other token has a name of its own, and Berth knows it.
   */
  asker(otherwise: string): string | undefined {
    return this.io.env['BERTH_TOKEN']?.trim() ? undefined : whoIsAsking(otherwise);
  }

  get home(): string {
    return berthHome(this.io.env, this.io.cwd);
  }

  get colour(): boolean {
    return this.io.stdout.isTTY === true && !this.io.env['NO_COLOR'] && this.io.env['TERM'] !== 'dumb';
  }

  /** The result: one JSON value, or text for people. */
  result(value: unknown, text: () => string): void {
    this.io.stdout.write(`${this.json ? JSON.stringify(value) : text()}\n`);
  }

  /** A remark beside the result. */
  note(text: string): void {
    this.io.stderr.write(`${printable(text)}\n`);
  }

  /** Why it did not work: on stdout for programs, on stderr for people. */
  failure({ code, message, errors, explanation }: Failure): void {
    if (this.json) this.io.stdout.write(`${JSON.stringify({ error: { code, message, errors, ...(explanation && { explanation }) } })}\n`);
    else {
      const unsaid = errors.filter((error) => !message.includes(error.message));
      this.io.stderr.write(`berth: ${printable(message)}\n${unsaid.map((error) => `  ${printable(error.field)}: ${printable(error.message)}\n`).join('')}`);
      if (explanation) this.io.stderr.write(`${considerations(explanation, { colour: false })}\n`);
    }
  }
}

/** Adds a command that takes `--json`, as all do. How it prints is none of its options: many are sent on as they are. */
export function leaf(parent: Command, usage: string, description: string): Command {
  const command = parent.command(usage).description(description).option('--json', 'one JSON value on standard output');
  const all = command.opts.bind(command);
  command.opts = <T extends OptionValues>() => {
    const { json: _json, ...options } = all();
    return options as T;
  };
  return command;
}
