// The entry behind every npm script: makes sure that what the command needs is there, then runs it.
// Plain JavaScript without dependencies, because it runs before anything is installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PNPM = 'pnpm@10.34.8';
const WORKSPACE = ['libs', 'services', 'infra'];
const INSTALL_STAMP = join(ROOT, 'node_modules', '.berth-stamp');
const BUILD_STAMP = join(ROOT, 'node_modules', '.berth-built');
const WEB_STAMP = join(ROOT, 'node_modules', '.berth-web-built');
const LOCK = join(ROOT, 'node_modules', '.berth-lock');

/** The dashboard: built by Vite, after the packages whose types it knows. */
const WEB = join('services', 'console', 'web');

const VITEST = 'node_modules/vitest/vitest.mjs';
/** What machines are driven with from outside of them, and what stands in for their controllers. */
const MANAGEMENT = ['ipmitool', 'ipmi_sim', 'snmpget', 'snmpset', 'snmpd', 'ping'];
/** What images are made with, and read. */
const IMAGES = ['mmdebstrap', 'debootstrap', 'sfdisk', 'debugfs', 'mcopy', 'fsck.vfat', 'qemu-system-x86_64', 'skopeo', 'umoci'];
/** What each command runs with Node once everything is there; `build` has nothing left to do then. */
const COMMANDS = {
  demo: { run: ['libs/cli/dist/demo.js'] },
  start: { run: ['infra/embedded/dist/start.js'] },
  test: { run: [VITEST, 'run', '--config', 'vitest.config.ts'], programs: ['make', 'cc', 'python3', ...MANAGEMENT], compiler: true },
  'test:model': { run: [VITEST, 'run', '--config', 'vitest.model.config.ts'], programs: IMAGES },
  'test:faults': { run: [VITEST, 'run', '--config', 'vitest.faults.config.ts'], programs: MANAGEMENT },
  'test:browser': { run: [VITEST, 'run', '--config', 'vitest.browser.config.ts'], programs: ['chromium', ...MANAGEMENT] },
  bench: { run: ['test/dist/bench/main.js'], programs: [] },
  // The rules that know types read those of other packages from their build. Specs are no part of it: checked first.
  lint: { before: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.specs.json'], run: ['node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.'] },
  build: {},
  generate: { run: ['scripts/generate.mjs'] },
};

/** An error whose message is all that the user has to read. */
class Stop extends Error {
  constructor(message, code = 1) {
    super(message);
    this.code = code;
  }
}

main(process.argv.slice(2)).catch((error) => {
  if (!(error instanceof Stop)) throw error;
  if (error.message) process.stderr.write(`${error.message}\n`);
  process.exitCode = error.code;
});

async function main([name, ...args]) {
  const command = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
  if (command === undefined) throw new Stop(`usage: node scripts/run.mjs ${Object.keys(COMMANDS).join('|')} [-- arguments]`, 2);
  checkNode();
  const release = await lock();
  try {
    await install();
    await build();
  } finally {
    release();
  }
  if (command.programs) await findPrograms(command);
  if (command.run === undefined) return;
  if (command.before) {
    const code = await runToEnd(process.execPath, command.before.map((part, i) => (i === 0 ? join(ROOT, part) : part)), { stdio: 'inherit' });
    if (code !== 0) throw new Stop('', code);
  }
  const [script, ...own] = command.run;
  if (!existsSync(join(ROOT, script))) throw new Stop(`${script} does not exist in this checkout, so "${name}" cannot run`);
  const given = args[0] === '--' ? args.slice(1) : args;
  process.exitCode = await runToEnd(process.execPath, [join(ROOT, script), ...own, ...given], { stdio: 'inherit' });
}

function checkNode() {
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).engines.node.replace('>=', '');
  const [major, minor] = wanted.split('.').map(Number);
  const [haveMajor, haveMinor] = process.versions.node.split('.').map(Number);
  if (haveMajor < major || (haveMajor === major && haveMinor < minor)) {
    throw new Stop(`Berth needs Node ${wanted} or newer and this is ${process.versions.node}: install a newer Node and try again`);
  }
}

async function install() {
  const manifests = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...packages().map((folder) => join(folder, 'package.json'))];
  const stamp = digest(manifests.filter((file) => existsSync(join(ROOT, file))).map((file) => `${file}\n${readFileSync(join(ROOT, file), 'utf8')}`));
  if (read(INSTALL_STAMP) === stamp) return;
  await step('installing dependencies', 'npx', ['--yes', PNPM, 'install', '--frozen-lockfile', '--config.confirmModulesPurge=false'], installEnv());
  writeFileSync(INSTALL_STAMP, stamp);
  // The packages may have changed under the build.
  rmSync(BUILD_STAMP, { force: true });
  rmSync(WEB_STAMP, { force: true });
}

/**
 * `npm run` describes its own run in the environment, and pnpm would take that for settings of its own (where to install,
 * that it was called as npm). What a user may have set on purpose, such as a proxy, stays. CI makes pnpm ask nothing, and
 * NODE_ENV=production would leave the compiler out.
 */
function installEnv() {
  const env = { ...process.env, CI: 'true' };
  const own = /^npm_(package_|lifecycle_|command$|execpath$|node_execpath$|config_(local_prefix|global_prefix|prefix|user_agent|node_gyp|init_module)$)/;
  for (const key of Object.keys(env)) if (own.test(key)) delete env[key];
  delete env.NODE_ENV;
  // npx must be the one that belongs to this Node, not an older one earlier on PATH.
  env.PATH = [dirname(process.execPath), env.PATH].filter(Boolean).join(delimiter);
  return env;
}

async function build() {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const stamp = stampOf(sources());
  if (read(BUILD_STAMP) !== stamp || !packages().every((folder) => folder === WEB || existsSync(join(ROOT, folder, 'dist')))) {
    await step('building', process.execPath, [tsc, '-b', ROOT]);
    writeFileSync(BUILD_STAMP, stamp);
  }
  const webStamp = stampOf([...files(WEB, /\.(tsx?|css|html|svg|json)$/), ...sources(['libs'])]);
  if (read(WEB_STAMP) === webStamp && existsSync(join(ROOT, WEB, 'dist', 'index.html'))) return;
  await step('checking the dashboard', process.execPath, [tsc, '-p', join(ROOT, WEB)]);
  await step('building the dashboard', process.execPath, [join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn', join(ROOT, WEB)]);
  writeFileSync(WEB_STAMP, webStamp);
}

/** What changes when one of the files does. */
function stampOf(paths) {
  return digest(paths.map((file) => {
    const { mtimeMs, size } = statSync(join(ROOT, file));
    return `${file} ${mtimeMs} ${size}`;
  }));
}

/** The folders with a package.json, relative to the checkout. */
function packages() {
  const found = WORKSPACE.flatMap((group) => list(group).map((entry) => join(group, entry.name)));
  return [...found, WEB, 'test'].filter((folder) => existsSync(join(ROOT, folder, 'package.json'))).sort();
}

/** Everything the compiler reads, relative to the checkout; or of some groups of packages. */
function sources(groups = [...WORKSPACE, 'test']) {
  const own = packages().filter((folder) => folder !== WEB && groups.some((group) => folder === group || folder.startsWith(join(group, '/'))));
  return ['tsconfig.json', 'tsconfig.base.json', ...own.flatMap((folder) => files(folder, /\.ts$|^tsconfig.*\.json$|^package\.json$/))].sort();
}

/** The files of a folder with such names, relative to the checkout. */
function files(folder, wanted) {
  return list(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['node_modules', 'dist', 'web'].includes(entry.name) ? [] : files(path, wanted);
    return entry.isFile() && wanted.test(entry.name) ? [path] : [];
  }).sort();
}

/**
 * nats-server, sshd, git and more for the tests: found, fetched into the state folder, or one sentence that says what to do. Without a
 * compiler of C# the tests run too, but for those that need it: most people change nothing that they look at.
 */
async function findPrograms({ programs, compiler }) {
  const embedded = join(ROOT, 'infra', 'embedded', 'dist');
  const started = Date.now();
  try {
    const { findNatsServer, findSshd, findTool, resolveHome } = await import(join(embedded, 'servers.js'));
    await findNatsServer(resolveHome());
    await findSshd(resolveHome());
    // One after the other: the package manager lets one in at a time.
    for (const tool of ['git', 'ps', ...programs]) await findTool(tool);
    if (compiler) await findTool('mcs').catch((error) => process.stderr.write(`${error.message}; the tests of the runner of Windows are skipped until then\n`));
  } catch (error) {
    throw new Stop(error.message);
  }
  if (Date.now() - started > 500) process.stderr.write(`fetching servers ... ${seconds(started)}\n`);
}

/** One preparing step: a progress line, silence, and everything it said if it fails. */
async function step(what, command, args, env = process.env) {
  const started = Date.now();
  const said = [];
  process.stderr.write(`${what} ... `);
  const code = await runToEnd(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }, (chunk) => said.push(chunk));
  process.stderr.write(`${seconds(started)}\n`);
  if (code === 0) return;
  process.stderr.write(Buffer.concat(said));
  if (code > 128) throw new Stop('', code);
  throw new Stop(`${what} failed (exit ${code}): the reason is above; nothing was started`);
}

/**
 * Runs a child until it ends and gives its exit code. A signal never ends us before the child: it is passed on, once.
 * Ctrl-C on a terminal reaches the whole foreground group, so the child has it already; npm sends it to us once more.
 */
function runToEnd(command, args, options, onOutput) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, ...options });
    let passedOn = false;
    const onSignal = (signal) => {
      if (passedOn || (signal === 'SIGINT' && isForeground())) return;
      passedOn = true;
      child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, onSignal);
    const watch = watchNpm(() => onSignal('SIGTERM'));
    child.stdout?.on('data', onOutput);
    child.stderr?.on('data', onOutput);
    child.once('error', (error) => {
      clearInterval(watch);
      reject(new Stop(`${command} cannot be run (${error.code}): check that Node was installed together with npm`));
    });
    child.once('close', (code, signal) => {
      for (const name of signals) process.off(name, onSignal);
      clearInterval(watch);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

/**
 * npm runs a script in a shell and passes SIGTERM on to that shell only, which ends without telling us: that our parent
 * changed is all that can be seen of it. Only under npm, for otherwise somebody may leave us running on purpose.
 */
function watchNpm(onGone) {
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  return setInterval(() => process.ppid !== parent && onGone(), 200).unref();
}

/** Whether a terminal's Ctrl-C goes to our process group. */
function isForeground() {
  const stat = read('/proc/self/stat');
  if (stat === undefined) return process.stdin.isTTY === true;
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return group === foreground;
}

/** Waits until no other run installs or builds here. The file of an owner that is gone does not count. */
async function lock() {
  try {
    mkdirSync(dirname(LOCK), { recursive: true });
  } catch (error) {
    throw new Stop(`${dirname(LOCK)} cannot be written (${error.code}): run this as the owner of the checkout`);
  }
  const draft = `${LOCK}.${process.pid}`;
  const started = Date.now();
  let told = false;
  try {
    for (;;) {
      // Written again each time: an install that starts from scratch may have emptied the folder.
      mkdirSync(dirname(LOCK), { recursive: true });
      writeFileSync(draft, `${process.pid} ${startMark(process.pid)}`);
      try {
        // A link appears with its content, so nobody reads an empty lock.
        linkSync(draft, LOCK);
        return () => rmSync(LOCK, { force: true });
      } catch (error) {
        if (error.code !== 'EEXIST') throw new Stop(`${relative(ROOT, LOCK)} cannot be written (${error.code}): run this as the owner of the checkout`);
      }
      const theirs = read(LOCK);
      const [pid, mark] = (theirs ?? '').split(' ');
      if (theirs !== undefined && startMark(pid) !== mark) takeAway(theirs);
      else if (!told && Date.now() - started > 1000) {
        told = true;
        process.stderr.write(`waiting for another run to finish installing or building (pid ${pid})\n`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Two may find the same lock dead; what the slower one moved is put back if it is a new one. */
function takeAway(dead) {
  const aside = `${LOCK}.stale-${process.pid}`;
  try {
    renameSync(LOCK, aside);
    if (read(aside) !== dead) linkSync(aside, LOCK);
  } catch {
    // Somebody else was faster, which is all that was wanted.
  } finally {
    rmSync(aside, { force: true });
  }
}

/** What tells a living process from a later one with its number: 'gone' when there is none. */
function startMark(pid) {
  const stat = read(`/proc/${pid}/stat`);
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  try {
    process.kill(Number(pid), 0);
    return existsSync('/proc/self') ? 'gone' : 'alive';
  } catch {
    return 'gone';
  }
}

function list(folder) {
  const path = join(ROOT, folder);
  return existsSync(path) ? readdirSync(path, { withFileTypes: true }) : [];
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function digest(parts) {
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
