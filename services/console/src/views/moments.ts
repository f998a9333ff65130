import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { DataSource } from 'typeorm';
import type { AnyRecorded } from '@berth/contracts';
import { UnavailableError } from '@berth/event-store';
import { streams } from '@berth/nats';
import type { Runtime } from '@berth/runtime';
import { StreamReader } from '../live/reader.js';
import { Moment } from './moment.js';
import { decodeStored, streamMark } from './projection.js';
import { HOME_SCHEMA } from './schema.js';
import type { AsOf } from './waiting.js';

/** A moment is written down after so many commits, or as many as there are things alive: so writing them costs each commit the same. */
export const EVERY = 2000;
/** Moments that were asked for last: a slider that moves on begins at the last one. */
const REMEMBERED = 4;
const PORTION = 500;

const packed = promisify(gzip);
const unpacked = promisify(gunzip);

/**
 * The fleet at any past moment. The present one is kept in memory, and written down now and then; a past one is read from
 * the last that was written before it, and folded forward. So an answer takes at most {@link EVERY} commits, or as many as
 * the fleet had things, and memory for a few fleets.
 */
export class Moments {
  private present = new Moment();
  private writtenAt = 0;
  private mark = '';
  private recent: Moment[] = [];
  /** one question at a time */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly runtime: Runtime,
    private readonly database: DataSource,
    private readonly every = EVERY,
  ) {}

  /** Makes the moment at a position the present one: what comes after it is then {@link apply applied}. */
  async begin(position: number): Promise<void> {
    const { mark, last } = await streamMark(this.runtime);
    this.mark = mark;
    // Of another event stream, or of a future that this one has not had.
    await this.database.query(`DELETE FROM ${HOME_SCHEMA}.moment WHERE stream <> $1 OR position > $2`, [mark, last]);
    this.present = await this.written({ position });
    this.writtenAt = this.present.position;
    await this.forward(this.present, { position }, position, (moment) => this.note(moment));
  }

  /** The next commits, in order. */
  async apply(commits: readonly AnyRecorded[]): Promise<void> {
    for (const recorded of commits) {
      this.present.apply(recorded);
      if (this.isDue(this.present)) await this.note(this.present);
    }
  }

  /**
   * The fleet as of a position or an instant: all commits up to the first one that is later.
   * @throws {UnavailableError} what has happened by then is still being read
   */
  at(asOf: AsOf): Promise<Moment> {
    const answer = this.turn.then(() => this.find(asOf));
    this.turn = answer.catch(() => undefined);
    return answer;
  }

  private async find(asOf: AsOf): Promise<Moment> {
    const present = this.present;
    if (isBy(present, asOf)) return present.copy();
    const known = this.recent.filter((moment) => isBy(moment, asOf)).reduce<Moment | undefined>((best, one) => (best && best.position >= one.position ? best : one), undefined);
    const base = await this.written(asOf, known?.position);
    const moment = base.position > (known?.position ?? 0) ? base : (known?.copy() ?? base);
    await this.forward(moment, asOf, present.position);
    this.recent = [moment, ...this.recent.filter(({ position }) => position !== moment.position)].slice(0, REMEMBERED);
    return moment.copy();
  }

  /** The last moment that was written by then, after a position; an empty one when there is none. */
  private async written(asOf: AsOf, after = 0): Promise<Moment> {
    // A time that PostgreSQL can't write is before or after all that happened just as well.
    const [column, value] = 'position' in asOf ? ['position', asOf.position] : ['at', new Date(Math.min(Math.max(asOf.time, 0), Date.UTC(9999, 0))).toISOString()];
    const [found] = await this.database.query<{ position: string; at: Date; state: Buffer }[]>(
      `SELECT position, at, state FROM ${HOME_SCHEMA}.moment WHERE ${column} <= $1 AND position > $2 AND stream = $3 ORDER BY ${column} DESC, position DESC LIMIT 1`,
      [value, after, this.mark],
    );
    return found ? Moment.read(Number(found.position), found.at.toISOString(), (await unpacked(found.state)).toString('utf8')) : new Moment();
  }

  /** Folds on to what was by then, at most to a position that is there. */
  private async forward(moment: Moment, asOf: AsOf, end: number, noted?: (moment: Moment) => Promise<void>): Promise<void> {
    const target = 'position' in asOf ? Math.min(asOf.position, end) : end;
    if (moment.position >= target) return;
    const reader = new StreamReader(this.runtime.connection, streams.events.name, { after: moment.position, portion: PORTION });
    try {
      while (moment.position < target) {
        const signal = AbortSignal.timeout(10_000);
        const stored = await reader.take(Math.min(PORTION, target - moment.position), { signal });
        if (stored.length === 0) throw new UnavailableError(`the events after position ${moment.position} are not to be had`);
        for (const recorded of stored.map(decodeStored)) {
          if ('time' in asOf && Date.parse(recorded.commit.at) > asOf.time) return;
          moment.apply(recorded);
          if (noted && this.isDue(moment)) await noted(moment);
        }
      }
    } finally {
      reader.close();
    }
  }

  private isDue(moment: Moment): boolean {
    return moment.position - this.writtenAt >= Math.max(this.every, moment.things);
  }

  /** Writes it down. When that fails it is tried again with the next commit: answers take longer meanwhile, and are as right. */
  private async note(moment: Moment): Promise<void> {
    if (!this.isDue(moment)) return;
    try {
      const { position, at, things } = moment;
      const state = await packed(moment.write());
      await this.database.query(`INSERT INTO ${HOME_SCHEMA}.moment (position, at, stream, things, state) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`, [position, at, this.mark, things, state]);
      this.writtenAt = position;
    } catch (error) {
      this.runtime.log.warn({ error }, 'a moment of the fleet could not be written, will be tried again');
    }
  }
}

/** Whether nothing in it is later. */
const isBy = (moment: Moment, asOf: AsOf): boolean => ('position' in asOf ? moment.position <= asOf.position : moment.at === '' || Date.parse(moment.at) <= asOf.time);
