import { stepSchemas } from '@berth/contracts';
import { render } from '../language/template.js';
import { ownFaults, pathOf, withOf, type HostKind } from './kind.js';

const MAX_CONTENT = 65_536;

/** `uses: put-file`: writes a text to a file of the working copy. */
export const putFile: HostKind = {
  on: 'host',
  schema: stepSchemas['put-file'],
  written: '`uses: put-file` with `path`, `content` and, if it is not to be "644", `mode`',
  action(context) {
    const { path: at, content: source, mode = '644' } = withOf<'put-file'>(context);
    const path = pathOf(at, context, 'path');
    if ('fault' in path) return path;
    const content = render(source, context.scope);
    if (content.length > MAX_CONTENT) return { fault: `the content has ${content.length} characters, and a file that a plan writes may have ${MAX_CONTENT}` };
    return { spec: { kind: 'put-file', path: path.path, content, mode: Number.parseInt(mode, 8) } };
  },
  verdict(ended) {
    if (ended.how === 'failed') return ownFaults.has(ended.code) ? { outcome: 'failed', error: ended.error } : undefined;
    return { outcome: 'passed' };
  },
};
