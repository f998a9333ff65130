/**
 * The language of `if` and of `${{ … }}` in plans: values, comparison, `&& || !`, a few functions. It can read what it is given
 * and do nothing else; there are no loops, so every expression ends in time that grows with its length.
 */
export type Expression =
  | { kind: 'value'; value: Value }
  /** a name with dots, such as `steps.test.outputs.version` */
  | { kind: 'name'; path: readonly string[]; at: number }
  | { kind: 'not'; of: Expression }
  | { kind: 'both' | 'either'; left: Expression; right: Expression }
  | { kind: 'compare'; operator: Comparison; left: Expression; right: Expression }
  | { kind: 'call'; name: FunctionName; of: readonly Expression[] };
export type Value = string | number | boolean | null;
type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** Functions, and how many values each takes. */
export const functions = { success: 0, failure: 0, always: 0, contains: 2, startsWith: 2, endsWith: 2 } as const;
export type FunctionName = keyof typeof functions;

/** What is wrong with an expression; `at`: how many characters in. */
export class ExpressionFault extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

interface Token {
  kind: 'text' | 'number' | 'word' | 'sign' | 'end';
  text: string;
  at: number;
}

const TOKEN = /\s*(?:'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)(?![\w.])|([A-Za-z_][\w-]*(?:\.[\w-]+)*)|(&&|\|\||==|!=|<=|>=|[<>!(),]))/y;
/** Deeper than people write; each level is a call of ours. */
const MAX_DEPTH = 50;
/** Longer than people write: a chain of operators is a tree as deep as the chain is long. */
const MAX_LENGTH = 4096;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) {
      const rest = text.slice(from);
      const at = from + (rest.length - rest.trimStart().length);
      if (at < text.length) throw new ExpressionFault(unreadable(text, at), at);
      found.push({ kind: 'end', text: '', at: text.length });
      return found;
    }
    const [whole, quoted, number, word, sign] = match;
    const at = from + (whole.length - whole.trimStart().length);
    if (quoted !== undefined) found.push({ kind: 'text', text: quoted.replaceAll("''", "'"), at });
    else if (number !== undefined) found.push({ kind: 'number', text: number, at });
    else if (word !== undefined) found.push({ kind: 'word', text: word, at });
    else found.push({ kind: 'sign', text: sign!, at });
  }
}

function unreadable(text: string, at: number): string {
  const rest = text.slice(at, at + 12);
  if (rest.startsWith("'")) return `the text that begins with ${rest} has no closing '`;
  if (rest.startsWith('"')) return `text stands between single quotes: write '…' instead of "…"`;
  if (rest.startsWith('=')) return 'use == to compare';
  if (/^[&|]/.test(rest)) return 'use && for "and", || for "or"';
  return `can't be read at ${JSON.stringify(rest)}`;
}

/**
 * Reads an expression.
 * @throws {ExpressionFault} with a sentence and the place
 */
export function parse(text: string): Expression {
  if (text.length > MAX_LENGTH) throw new ExpressionFault(`is too long: ${text.length} characters, at most ${MAX_LENGTH}`, 0);
  const all = tokens(text);
  let next = 0;
  let depth = 0;
  const peek = () => all[next]!;
  const take = () => all[next++]!;
  const is = (sign: string) => peek().kind === 'sign' && peek().text === sign;
  const expect = (sign: string) => {
    if (!is(sign)) throw new ExpressionFault(`${JSON.stringify(sign)} is missing`, peek().at);
    take();
  };

  function either(): Expression {
    if (++depth > MAX_DEPTH) throw new ExpressionFault('is nested too deeply', peek().at);
    let left = both();
    while (is('||')) {
      take();
      left = { kind: 'either', left, right: both() };
    }
    depth--;
    return left;
  }
  function both(): Expression {
    let left = comparison();
    while (is('&&')) {
      take();
      left = { kind: 'both', left, right: comparison() };
    }
    return left;
  }
  function comparison(): Expression {
    const left = unary();
    const { kind, text: operator } = peek();
    if (kind !== 'sign' || !['==', '!=', '<', '<=', '>', '>='].includes(operator)) return left;
    take();
    return { kind: 'compare', operator: operator as Comparison, left, right: unary() };
  }
  function unary(): Expression {
    let negations = 0;
    while (is('!')) {
      take();
      negations++;
    }
    const inner = primary();
    if (negations === 0) return inner;
    const once: Expression = { kind: 'not', of: inner };
    return negations % 2 === 1 ? once : { kind: 'not', of: once };
  }
  function primary(): Expression {
    const token = take();
    switch (token.kind) {
      case 'text':
        return { kind: 'value', value: token.text };
      case 'number':
        return { kind: 'value', value: Number(token.text) };
      case 'word':
        if (is('(')) return call(token);
        if (token.text === 'true' || token.text === 'false') return { kind: 'value', value: token.text === 'true' };
        if (token.text === 'null') return { kind: 'value', value: null };
        return { kind: 'name', path: token.text.split('.'), at: token.at };
      case 'sign': {
        if (token.text !== '(') throw new ExpressionFault(`a value is missing before ${JSON.stringify(token.text)}`, token.at);
        const inner = either();
        expect(')');
        return inner;
      }
      case 'end':
        throw new ExpressionFault(all.length === 1 ? 'is empty' : 'ends too early: a value is missing', token.at);
    }
  }
  function call({ text: name, at }: Token): Expression {
    take();
    const of: Expression[] = [];
    if (!is(')')) {
      of.push(either());
      while (is(',')) {
        take();
        of.push(either());
      }
    }
    expect(')');
    if (!Object.hasOwn(functions, name)) throw new ExpressionFault(`there is no function ${name}: there are ${Object.keys(functions).join(', ')}`, at);
    const wanted = functions[name as FunctionName];
    if (of.length !== wanted) throw new ExpressionFault(`${name} takes ${wanted === 0 ? 'nothing between its brackets' : `${wanted} values`}`, at);
    return { kind: 'call', name: name as FunctionName, of };
  }

  const expression = either();
  if (peek().kind !== 'end') throw new ExpressionFault(`can't be read from ${JSON.stringify(text.slice(peek().at, peek().at + 12))} on: an operator is missing before it`, peek().at);
  return expression;
}

/** What an expression is evaluated over. */
export interface Scope {
  /** undefined: there is no such value; as text that is empty */
  value(path: readonly string[]): string | undefined;
  /** what the steps before are said to be by `success()` and `failure()` */
  succeeded(): boolean;
  failed(): boolean;
}

/** The value of an expression. Never throws: what is not there is null. */
export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'value':
      return expression.value;
    case 'name':
      return scope.value(expression.path) ?? null;
    case 'not':
      return !truth(evaluate(expression.of, scope));
    case 'both': {
      const left = evaluate(expression.left, scope);
      return truth(left) ? evaluate(expression.right, scope) : left;
    }
    case 'either': {
      const left = evaluate(expression.left, scope);
      return truth(left) ? left : evaluate(expression.right, scope);
    }
    case 'compare':
      return compare(expression.operator, evaluate(expression.left, scope), evaluate(expression.right, scope));
    case 'call': {
      const [first = '', second = ''] = expression.of.map((one) => text(evaluate(one, scope)));
      switch (expression.name) {
        case 'success':
          return scope.succeeded();
        case 'failure':
          return scope.failed();
        case 'always':
          return true;
        case 'contains':
          return first.includes(second);
        case 'startsWith':
          return first.startsWith(second);
        case 'endsWith':
          return first.endsWith(second);
      }
    }
  }
}

/** As a condition. Variables and outputs are text, so the text `false` counts as no, and so does the empty one. */
export const truth = (value: Value): boolean => !(value === null || value === false || value === 0 || value === '' || value === 'false');

/** As text: what stands in a plan's text instead of the expression. */
export const text = (value: Value): string => (value === null ? '' : String(value));

function compare(operator: Comparison, left: Value, right: Value): boolean {
  // Everything from outside is text: two that both read as numbers are compared as such.
  const [a, b] = [numberOf(left), numberOf(right)];
  const order = a !== undefined && b !== undefined ? a - b : text(left) < text(right) ? -1 : text(left) > text(right) ? 1 : 0;
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

function numberOf(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !/^-?\d+(\.\d+)?$/.test(value)) return undefined;
  // Numbers of so many digits that two of them would be one are names, such as ids and commits: compared as text.
  const number = Number(value);
  return Math.abs(number) <= Number.MAX_SAFE_INTEGER ? number : undefined;
}

/** Every name that stands in an expression, and whether it asks how the steps before ended. */
export function namesIn(expression: Expression): { path: readonly string[]; at: number }[] {
  switch (expression.kind) {
    case 'value':
      return [];
    case 'name':
      return [expression];
    case 'not':
      return namesIn(expression.of);
    case 'both':
    case 'either':
    case 'compare':
      return [...namesIn(expression.left), ...namesIn(expression.right)];
    case 'call':
      return expression.of.flatMap(namesIn);
  }
}

/** Does it say itself what becomes of it when something before has failed? */
export function asksOutcome(expression: Expression): boolean {
  switch (expression.kind) {
    case 'value':
    case 'name':
      return false;
    case 'not':
      return asksOutcome(expression.of);
    case 'both':
    case 'either':
    case 'compare':
      return asksOutcome(expression.left) || asksOutcome(expression.right);
    case 'call':
      return functions[expression.name] === 0 || expression.of.some(asksOutcome);
  }
}
