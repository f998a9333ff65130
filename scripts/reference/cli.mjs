import { run } from '../../libs/cli/dist/index.js';
import { page } from './markdown.mjs';

/** What `berth --help` says, of each command. `root` is the checkout. */
export async function cliPage(root) {
  const parts = ['# The command line', `Made from \`berth --help\` by \`npm run generate\`; do not edit.`, CLI_NOTES];
  const open = [[]];
  for (let words = open.shift(); words; words = open.shift()) {
    const help = await helpOf(words, root);
    const list = /\nCommands:\n([\s\S]*)$/.exec(help)?.[1] ?? '';
    const own = [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => [...words, name]).filter((command) => command.at(-1) !== 'help');
    parts.push(`${words.length < 2 ? '##' : '###'} ${['berth', ...words].join(' ')}`, `\`\`\`text\n${help.trimEnd()}\n\`\`\``);
    open.unshift(...own);
  }
  return page(parts);
}

const CLI_NOTES = `Run it as \`npx berth\` in the checkout, once \`npm start\` or \`npm run build\` has built it. It finds Berth by \`BERTH_URL\` and \`BERTH_TOKEN\`, else by \`cli.json\` in the state folder
([environment.md](environment.md)).

Every command that does something takes \`--json\`: one JSON value on standard output. A failure is \`{"error": {"code", "message", "errors"}}\` there.

| exit code | meaning |
| --- | --- |
| 0 | done; \`build watch\` and \`build start --watch\`: the build passed; \`job watch\` and \`job run --watch\`: the job is COMPLETE; \`image watch\`, and \`image build\`, \`build-all\`, \`rebuild\` and \`push\` with \`--watch\`: all of it is COMPLETE; \`image status --exit-code\` or \`--wait\`: all that is told is COMPLETE; \`image channel assign --watch\`: the channel points at the version |
| 1 | refused or failed; \`lease request --dry-run\`: it would be refused; \`hardware import\`: a part of it was refused; \`image build --watch\` and the like: PARTIAL or FAILED; \`image status --exit-code\` or \`--wait\`: something is neither COMPLETE nor under way |
| 2 | used wrongly |
| 3 | \`image status --exit-code\`: something of it is still under way |
| 130 | \`lease request\` was interrupted while it waited: the lease is given back; \`lease keep\` was interrupted: it is not; \`job watch\`, or what is watched of an image, was interrupted: it goes on |

\`lease exec\` ends with the exit code of its command; 124 when its time was up, 130 when it was cancelled, 1 when it could not be run.`;

async function helpOf(words, root) {
  let text = '';
  const sink = { write: (part) => void (text += part), columns: 96 };
  await run([...words, '--help'], { env: {}, cwd: root, stdout: sink, stderr: sink });
  return text;
}
