/** One bug of the stand-in, in the words of the REST API. */
export interface StoredBug {
  id: number;
  product: string;
  component: string;
  version: string;
  type?: string;
  op_sys: string;
  platform: string;
  summary: string;
  alias: string[];
  status: string;
  resolution: string;
  is_open: boolean;
  blocks: number[];
  depends_on: number[];
  whiteboard: string;
  comments: string[];
}

/** An error as Bugzilla numbers them: WS_ERROR_CODE in Bugzilla/WebService/Constants.pm. */
export class BugzillaError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** From which status to which. `default` is the workflow of a new Bugzilla since 4.0, `classic` the one before, which many keep. */
export const workflows = {
  default: {
    first: 'CONFIRMED',
    to: { UNCONFIRMED: ['CONFIRMED', 'IN_PROGRESS', 'RESOLVED'], CONFIRMED: ['IN_PROGRESS', 'RESOLVED'], IN_PROGRESS: ['CONFIRMED', 'RESOLVED'], RESOLVED: ['UNCONFIRMED', 'CONFIRMED', 'VERIFIED'], VERIFIED: ['UNCONFIRMED', 'CONFIRMED'] },
  },
  classic: {
    first: 'NEW',
    to: { UNCONFIRMED: ['NEW', 'ASSIGNED', 'RESOLVED'], NEW: ['ASSIGNED', 'RESOLVED'], ASSIGNED: ['NEW', 'RESOLVED'], REOPENED: ['NEW', 'ASSIGNED', 'RESOLVED'], RESOLVED: ['UNCONFIRMED', 'REOPENED', 'VERIFIED'], VERIFIED: ['UNCONFIRMED', 'REOPENED', 'RESOLVED'] },
  },
} as const satisfies Record<string, { first: string; to: Record<string, readonly string[]> }>;
export type Workflow = keyof typeof workflows;

const CLOSED = ['RESOLVED', 'VERIFIED'];
const RESOLUTIONS = ['FIXED', 'INVALID', 'WONTFIX', 'DUPLICATE', 'WORKSFORME'];
const MOST_COMMENT = 65_535;

const text = (value: unknown, field: string): string => {
  if (typeof value !== 'string') throw new BugzillaError(53, `The ${field} parameter must be a string.`);
  return value;
};
const ids = (value: unknown, field: string): number[] => {
  if (!Array.isArray(value) || !value.every((one) => Number.isInteger(one))) throw new BugzillaError(100, `'${JSON.stringify(value)}' is not a list of bug numbers for ${field}.`);
  return value as number[];
};
function onlyKnown(fields: Record<string, unknown>, known: readonly string[]): void {
  const stray = Object.keys(fields).find((field) => !known.includes(field));
  if (stray !== undefined) throw new BugzillaError(108, `Can't use ${stray} as a field name.`);
}

/** The bugs of a stand-in: what Bugzilla checks of what is written, it checks. */
export class Bugs {
  readonly all: StoredBug[] = [];

  /** @param leavesOut fields that are taken at the creation of a bug, and forgotten */
  constructor(
    private readonly places: Record<string, readonly string[]>,
    readonly workflow: Workflow,
    private readonly leavesOut: readonly string[],
    private readonly needsType: boolean,
  ) {}

  get(idOrAlias: string): StoredBug {
    const found = /^\d+$/.test(idOrAlias) ? this.all.find(({ id }) => id === Number(idOrAlias)) : this.all.find(({ alias }) => alias.includes(idOrAlias));
    if (!found) throw /^\d+$/.test(idOrAlias) ? new BugzillaError(101, `Bug #${idOrAlias} does not exist.`) : new BugzillaError(100, `'${idOrAlias}' is not a valid bug number nor an alias to a bug.`);
    return found;
  }

  create(fields: Record<string, unknown>): number {
    onlyKnown(fields, ['product', 'component', 'version', 'summary', 'description', 'alias', 'op_sys', 'platform', 'blocks', 'depends_on', 'whiteboard', ...(this.needsType ? ['type'] : [])]);
    for (const field of ['product', 'component', 'version', 'summary', ...(this.needsType ? ['type'] : [])]) {
      if (fields[field] === undefined || fields[field] === '') throw new BugzillaError(field === 'summary' ? 107 : 50, `You must enter a ${field} for this bug.`);
    }
    const product = text(fields.product, 'product');
    const component = text(fields.component, 'component');
    if (!this.places[product]) throw new BugzillaError(106, `Either the product '${product}' does not exist or you don't have access to it.`);
    if (!this.places[product].includes(component)) throw new BugzillaError(105, `There is no component named '${component}' in the '${product}' product.`);
    const version = text(fields.version, 'version');
    if (version !== 'unspecified') throw new BugzillaError(51, `There is no version named '${version}' in the '${product}' product.`);
    const summary = this.summary(fields.summary);
    const alias = fields.alias === undefined ? [] : [this.alias(text(fields.alias, 'alias'))];
    const blocks = this.leavesOut.includes('blocks') || fields.blocks === undefined ? [] : ids(fields.blocks, 'blocks');
    for (const id of blocks) this.get(String(id));
    const created: StoredBug = {
      id: this.all.length + 1000, product, component, version, ...(this.needsType && { type: text(fields.type, 'type') }), op_sys: text(fields.op_sys ?? 'Unspecified', 'op_sys'), platform: text(fields.platform ?? 'Unspecified', 'platform'), summary, alias,
      status: workflows[this.workflow].first, resolution: '', is_open: true, blocks: [], depends_on: [],
      whiteboard: this.leavesOut.includes('whiteboard') ? '' : text(fields.whiteboard ?? '', 'whiteboard'), comments: [this.said(fields.description ?? '')],
    };
    this.all.push(created);
    this.link(created, blocks);
    return created.id;
  }

  update(idOrAlias: string, fields: Record<string, unknown>): StoredBug {
    const one = this.get(idOrAlias);
    onlyKnown(fields, ['status', 'resolution', 'comment', 'whiteboard', 'blocks', 'summary']);
    // Everything is looked at before anything is changed: an update is one transaction.
    const comment = fields.comment === undefined ? undefined : this.said((fields.comment as { body?: unknown }).body);
    const whiteboard = fields.whiteboard === undefined ? one.whiteboard : text(fields.whiteboard, 'whiteboard');
    const blocks = fields.blocks === undefined ? [] : ids((fields.blocks as { add?: unknown }).add, 'blocks');
    for (const id of blocks) if (this.get(String(id)) === one) throw new BugzillaError(116, `You can't make a bug block itself or depend on itself.`);
    const changed = this.moved(one, fields);
    Object.assign(one, changed, { whiteboard });
    if (comment !== undefined) one.comments.push(comment);
    this.link(one, blocks);
    return one;
  }

  private moved(one: StoredBug, { status, resolution }: Record<string, unknown>): Partial<StoredBug> {
    const to = status === undefined ? one.status : text(status, 'status');
    const next: readonly string[] = (workflows[this.workflow].to as Record<string, readonly string[]>)[one.status] ?? [];
    if (!(to in workflows[this.workflow].to)) throw new BugzillaError(51, `There is no status named '${to}'.`);
    if (to !== one.status && !next.includes(to)) throw new BugzillaError(123, `You are not allowed to change the bug status from ${one.status} to ${to}.`);
    const closed = CLOSED.includes(to);
    if (resolution !== undefined && !closed) throw new BugzillaError(122, 'You cannot set a resolution for open bugs.');
    const reason = resolution === undefined ? one.resolution : text(resolution, 'resolution');
    if (closed && reason === '') throw new BugzillaError(121, `A valid resolution is required to mark bugs as ${to}.`);
    if (closed && !RESOLUTIONS.includes(reason)) throw new BugzillaError(51, `There is no resolution named '${reason}'.`);
    return { status: to, is_open: !closed, resolution: closed ? reason : '' };
  }

  private link(from: StoredBug, blocks: readonly number[]): void {
    for (const id of blocks) {
      if (!from.blocks.includes(id)) from.blocks.push(id);
      const blocked = this.get(String(id));
      if (!blocked.depends_on.includes(from.id)) blocked.depends_on.push(from.id);
    }
  }

  private summary(value: unknown): string {
    const summary = text(value, 'summary');
    if (summary.length > 255 || /[\r\n]/.test(summary)) throw new BugzillaError(104, 'The text you entered in the Summary field is too long or has line breaks.');
    return summary;
  }

  private alias(alias: string): string {
    if (alias.length > 40) throw new BugzillaError(103, 'Bug aliases cannot be longer than 40 characters.');
    if (/^\d+$/.test(alias)) throw new BugzillaError(103, `You tried to give this bug the alias ${alias}, but all aliases must contain at least one letter.`);
    if (/[,\s]/.test(alias)) throw new BugzillaError(103, `The alias you entered, ${alias}, contains one or more commas or spaces.`);
    if (this.all.some((one) => one.alias.includes(alias))) throw new BugzillaError(103, `Bug ${this.get(alias).id} has already taken the alias ${alias}.`);
    return alias;
  }

  private said(value: unknown): string {
    const body = text(value, 'comment');
    if (body.length > MOST_COMMENT) throw new BugzillaError(114, `Comments cannot be longer than ${MOST_COMMENT} characters.`);
    return body;
  }
}
