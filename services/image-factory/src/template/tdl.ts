import { nearest, type FieldError } from '@berth/contracts';
import { fieldOf, MAX_ERRORS, WHOLE, type Mapping, type Path, type Places } from '@berth/yaml';
import { readXml, XmlFault, type XmlElement } from './xml.js';

/** What may stand in an element: how each is read, or why it can't be and what to do instead. */
type Vocabulary = Readonly<Record<string, ((element: XmlElement) => void) | string>>;

const NO_CERTIFICATE = 'certificates of clients are not kept in templates: use a mirror that asks for none';
const ARCHITECTURES = ['x86_64', 'aarch64'];

/**
 * A template in TDL, the XML of Oz and imagefactory, with its values in the words of Berth's own templates, and where each
 * of them stands. What TDL can say and Berth can't do is refused, never passed over.
 */
export class TdlSource implements Places {
  /** all that is wrong with it as TDL */
  readonly errors: FieldError[] = [];
  /** undefined when it could not be read at all */
  readonly value: Mapping | undefined;
  private readonly places = new Map<string, number>();

  /** @param before what stands before it in its file: lines count from there */
  constructor(
    private readonly text: string,
    private readonly before = '',
  ) {
    this.value = this.read();
  }

  tell(path: Path, _prefer: 'key' | 'value', message: string): FieldError {
    let known = path;
    while (known.length > 0 && !this.places.has(fieldOf(known))) known = known.slice(0, -1);
    return { field: fieldOf(path), message: this.located(this.places.get(fieldOf(known)) ?? 0, message) };
  }

  has(path: Path): boolean {
    return this.places.has(fieldOf(path));
  }

  isEmpty(): boolean {
    return false; // an element without text is an empty text
  }

  private read(): Mapping | undefined {
    try {
      return this.template(readXml(this.text));
    } catch (error) {
      if (!(error instanceof XmlFault)) throw error;
      this.errors.push({ field: WHOLE, message: this.located(error.at, error.message) });
      return undefined;
    }
  }

  private template(root: XmlElement): Mapping | undefined {
    this.places.set(WHOLE, root.at);
    if (root.name !== 'template') this.refuse(root, WHOLE, `is <${root.name.slice(0, 80)}>: a template in TDL begins with <template>`);
    if (this.errors.length > 0) return undefined;
    this.attributes(root, ['version']);
    const version = root.attributes['version'];
    if (version !== undefined && version !== '1.0') this.refuse(root, 'version', `is ${JSON.stringify(version.slice(0, 40))}: version 1.0 of TDL is read`);
    const value: Mapping = {};
    this.elements(root, [], {
      name: this.textInto(value, ['name']),
      description: this.textInto(value, ['description']),
      os: (element) => void (value['os'] = this.os(element)),
      disk: (element) => void (value['targets'] = this.disk(element)),
      packages: (element) => void (value['packages'] = this.list(element, ['packages'], 'package', (one, path) => this.package(one, path))),
      repositories: (element) => void (value['repositories'] = this.list(element, ['repositories'], 'repository', (one, path) => this.repository(one, path))),
      files: (element) => void (value['files'] = this.list(element, ['files'], 'file', (one, path) => ({ path: this.attribute(one, 'name', [...path, 'path']), content: this.content(one, [...path, 'content']) }))),
      commands: (element) => void (value['commands'] = this.commands(element)),
      precommands: 'commands before the packages are not run: write what they do as <commands>, or put what they need into <repositories>',
    });
    return value;
  }

  private os(os: XmlElement): Mapping {
    const value: Mapping = {};
    this.places.set('os', os.at);
    this.attributes(os, []);
    this.elements(os, ['os'], {
      // TDL writes names such as "Debian" and "RHEL-6".
      name: (element) => void (value['name'] = this.textOf(element, ['os', 'name']).toLowerCase()),
      version: this.textInto(value, ['os', 'version']),
      arch: (element) => {
        const arch = this.textOf(element, ['os', 'arch']);
        if (ARCHITECTURES.includes(arch)) value['arch'] = arch;
        else this.refuse(element, 'os.arch', `is ${JSON.stringify(arch.slice(0, 40))}: images are built for ${ARCHITECTURES.join(' and ')}`);
      },
      install: (element) => void (value['install'] = this.install(element)),
      rootpw: 'a password must not stand in a template: remove it, keep it in the store of secrets, and name that secret as os.rootPassword of a template in YAML',
      key: 'keys of products are for Windows, which is not built: remove it',
      kernelparam: 'the command line of the kernel is not set: remove it, and write it by <files> where the boot loader reads it',
      icicle: 'packages are listed as SPDX without it: remove it',
    });
    return value;
  }

  private install(install: XmlElement): Mapping | undefined {
    this.places.set('os.install', install.at);
    this.attributes(install, ['type']);
    const { type } = install.attributes;
    const other = 'images are installed from a mirror of packages: use type="url" with its <url>, or leave <install> out for the mirror of the host';
    if (type !== 'url') {
      this.refuse(install, 'os.install', type === 'iso' ? `ISO images are not installed from: ${other}` : `needs a type: ${other}`);
      return undefined;
    }
    const value: Mapping = {};
    this.elements(install, ['os', 'install'], { url: this.textInto(value, ['os', 'install', 'url']), iso: `stands in an install of type url: ${other}`, extras: 'nothing is added to what is installed from: remove it, and use <files>' });
    return value;
  }

  private disk(disk: XmlElement): Mapping {
    const raw: Mapping = {};
    this.places.set('targets', disk.at);
    this.attributes(disk, []);
    this.elements(disk, ['targets', 'raw'], {
      size: (element) => {
        const text = this.textOf(element, ['targets', 'raw', 'size']);
        const [, digits, unit] = /^(\d{1,7}) *([GT]?)$/.exec(text) ?? [];
        if (digits === undefined) return this.refuse(element, 'targets.raw.size', `is ${JSON.stringify(text.slice(0, 40))}: use a size such as 10G or 1T`);
        raw['size'] = `${Number(digits) * (unit === 'T' ? 1024 : 1)}GiB`;
      },
    });
    return { raw };
  }

  private package(one: XmlElement, path: Path): unknown {
    const name = this.attribute(one, 'name', path);
    const all = 'packages come from all the repositories together: remove it';
    this.elements(one, path, { repository: all, file: all, arguments: 'packages are installed without arguments: remove it' });
    return name;
  }

  private repository(one: XmlElement, path: Path): Mapping {
    const value: Mapping = { name: this.attribute(one, 'name', [...path, 'name']) };
    const at = (key: string) => [...path, key];
    this.elements(one, path, {
      url: this.textInto(value, at('url')),
      signed: (element) => void (value['trusted'] = this.truth(element, at('trusted')) === false),
      persisted: (element) => {
        if (this.truth(element, at('persisted')) === false) this.refuse(element, fieldOf(at('persisted')), 'repositories stay in the image: remove this, and take the repository away by a command at the end');
      },
      sslverify: (element) => {
        if (this.truth(element, at('sslverify')) === false) this.refuse(element, fieldOf(at('sslverify')), 'certificates of servers are always looked at: remove this, or use an http URL');
      },
      clientcert: NO_CERTIFICATE,
      clientkey: NO_CERTIFICATE,
      cacert: 'certificates are not kept with a repository: remove it, and write it by <files>',
    });
    return value;
  }

  private commands(element: XmlElement): unknown[] {
    const positions: (number | undefined)[] = [];
    const commands = this.list(element, ['commands'], 'command', (one, path) => {
      const { position } = one.attributes;
      positions.push(position === undefined ? undefined : /^\d{1,6}$/.test(position) ? Number(position) : Number.NaN);
      return { name: this.attribute(one, 'name', [...path, 'name'], ['type', 'position']), run: this.content(one, [...path, 'run']) };
    });
    if (positions.every((position) => position === undefined)) return commands;
    const order = commands.map((_, i) => i).sort((a, b) => (positions[a] ?? 0) - (positions[b] ?? 0));
    if (!order.every((i, n) => positions[i] === n + 1)) this.refuse(element, 'commands', `have positions that do not count from 1 to ${commands.length}: give each command one of its own, or none any`);
    // Where each stands goes with it.
    const keys = ['', '.name', '.run'];
    const from = new Map(commands.flatMap((_, i) => keys.map((key): [string, number | undefined] => [`${i}${key}`, this.places.get(`commands[${i}]${key}`)])));
    for (const [n, i] of order.entries()) for (const key of keys) this.places.set(`commands[${n}]${key}`, from.get(`${i}${key}`) ?? element.at);
    return order.map((i) => commands[i]);
  }

  // --- what all elements have in common ---

  private list(element: XmlElement, path: Path, name: string, read: (one: XmlElement, path: Path) => unknown): unknown[] {
    const found: unknown[] = [];
    this.places.set(fieldOf(path), element.at);
    this.attributes(element, []);
    const one = (child: XmlElement) => {
      const here = [...path, found.length];
      this.places.set(fieldOf(here), child.at);
      found.push(read(child, here));
    };
    this.elements(element, path, { [name]: one }, true);
    return found;
  }

  /** Reads each child as the vocabulary says. Text between elements is a fault. */
  private elements(element: XmlElement, path: Path, vocabulary: Vocabulary, often = false): void {
    const seen = new Set<string>();
    if (element.text.trim() !== '') this.refuse(element, fieldOf(path), `has text where only elements may stand: ${JSON.stringify(element.text.trim().slice(0, 40))}`);
    for (const child of element.children) {
      const field = fieldOf([...path, child.name.slice(0, 80)]);
      const known = Object.hasOwn(vocabulary, child.name) ? vocabulary[child.name]! : undefined;
      if (known === undefined) {
        const meant = nearest(child.name, Object.keys(vocabulary));
        this.refuse(child, field, `unknown element <${child.name.slice(0, 80)}>: ${meant ? `did you mean <${meant}>?` : `the elements here are ${Object.keys(vocabulary).join(', ')}`}`);
      } else if (typeof known === 'string') this.refuse(child, field, known);
      else if (seen.has(child.name) && !often) this.refuse(child, field, `<${child.name}> stands there twice: remove one`);
      else known(child);
      seen.add(child.name);
    }
  }

  private attributes(element: XmlElement, known: readonly string[]): void {
    for (const name of Object.keys(element.attributes)) {
      if (!known.includes(name)) this.refuse(element, name.slice(0, 80), `unknown attribute ${JSON.stringify(name.slice(0, 80))} of <${element.name}>: ${known.length > 0 ? `there are ${known.join(', ')}` : 'it has none'}`);
    }
  }

  /** The attribute that names an element; undefined when it is not there, which the schema tells. */
  private attribute(element: XmlElement, name: string, path: Path, more: readonly string[] = ['type']): string | undefined {
    this.attributes(element, element.name === 'package' || element.name === 'repository' ? [name] : [name, ...more]);
    const value = element.attributes[name];
    if (value === undefined) this.refuse(element, fieldOf(path), `<${element.name}> needs the attribute ${JSON.stringify(name)}`);
    this.places.set(fieldOf(path), element.at);
    return value;
  }

  private textOf(element: XmlElement, path: Path): string {
    this.places.set(fieldOf(path), element.at);
    this.attributes(element, []);
    return this.plain(element, path);
  }

  private plain(element: XmlElement, path: Path): string {
    for (const child of element.children) this.refuse(child, fieldOf(path), `<${child.name.slice(0, 80)}> stands where only text may: write "<" as &lt; or put the text into <![CDATA[ … ]]>`);
    // As the source system does it, and as people indent XML.
    return element.text.trim();
  }

  private textInto(value: Mapping, path: Path): (element: XmlElement) => void {
    return (element) => void (value[String(path.at(-1))] = this.textOf(element, path));
  }

  private truth(element: XmlElement, path: Path): boolean | undefined {
    const text = this.textOf(element, path).toLowerCase();
    if (['true', 'yes'].includes(text)) return true;
    if (['false', 'no'].includes(text)) return false;
    this.refuse(element, fieldOf(path), 'use yes or no');
    return undefined;
  }

  /** The content of a file or of a command. */
  private content(element: XmlElement, path: Path): string {
    this.places.set(fieldOf(path), element.at);
    const text = this.plain(element, path);
    const { type = 'raw' } = element.attributes;
    if (type === 'raw') return text;
    if (type !== 'base64') {
      this.refuse(element, fieldOf(path), `has the type ${JSON.stringify(type.slice(0, 40))}: use raw or base64${type === 'url' ? ', and fetch what a URL has by a command' : ''}`);
      return text;
    }
    const packed = text.replaceAll(/\s+/g, '');
    const bytes = Buffer.from(packed, 'base64');
    if (bytes.toString('base64').replace(/=+$/, '') !== packed.replace(/=+$/, '')) this.refuse(element, fieldOf(path), 'is not base64');
    else if (!Buffer.from(bytes.toString('utf8')).equals(bytes)) this.refuse(element, fieldOf(path), 'is no text in UTF-8: files of other bytes come as a package, or are fetched by a command');
    return bytes.toString('utf8');
  }

  private refuse(element: XmlElement, field: string, message: string): void {
    if (this.errors.length < MAX_ERRORS) this.errors.push({ field, message: this.located(element.at, message) });
  }

  private located(at: number, message: string): string {
    const lines = `${this.before}${this.text.slice(0, at)}`.split(/\r\n|\r|\n/);
    return `line ${lines.length}, column ${lines.at(-1)!.length + 1}: ${message}`;
  }
}
