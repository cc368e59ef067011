// What an engine says is wrong, in the language of the page. An engine says it in English, whatever the page speaks: the
// English is the key, as in gettext. A file of errors has templates in which `{}` is a place for a value; its translations
// count the places, `{2}`, and `{은/는}` is the particle that fits what stands before it.

/** A file of errors: templates by where they come from, which matters to nobody but its test. */
export type ErrorsFile = Record<string, Record<string, string>>;

interface Rule {
  pattern: RegExp;
  places: Place[];
  translation: string;
}

/** What is known of a value by where it stands. */
interface Place {
  /** In quotes in the translation: a name, which stays. A list of names is quoted one by one. */
  isName: boolean;
  isList: boolean;
  /** Where a whole sentence may stand, and not only a noun. */
  isClause: boolean;
}

/** A translation, and how much in it is not one. */
interface Found {
  text: string;
  foreign: number;
}

/** How errors join two texts, and how their translations do. What comes before a space is what the rest is about. */
const JOINS: [string, string][] = [
  ["; ", ". "],
  [": ", ": "],
  [", ", ", "],
  [" and ", ", "],
  [" ", ": "],
];

/** How many parts of a text are read before it is given up. */
const MOST_READ = 500;

/** Words that are not translated: what a message calls a file's format or a kind of number. */
const KEPT = /^(TOML|JSON|UTF|safetensors|GB|RMS|nan|inf|NaN|b?f(16|32|64)|B?F(16|32|64)|[IU]\d+|[A-Za-z]|[xe]\d+)$/;
/** The name of a file, whatever else it could mean. */
const FILE = /\.[A-Za-z]\w*$/;
const NAME = /^[^\s`'"]*[A-Za-z][^\s`'"]*$/;

export function translator(file: ErrorsFile): (text: string) => string {
  const templates = Object.values(file).flatMap((own) => Object.entries(own));
  const rules = templates.sort(([a], [b]) => literal(b) - literal(a)).map(([template, translation]) => rule(template, translation));
  const known = new Map<string, Found>();

  /** A text as one template, with the values in it. */
  function whole(text: string): Found | undefined {
    let best: Found | undefined;
    for (const { pattern, places, translation } of rules) {
      const values = pattern.exec(text)?.slice(1);
      if (!values || values.includes(text)) continue;
      const parts = values.map((value, at) => put(value, places[at]));
      const own = { text: filled(translation, parts), foreign: parts.reduce((sum, part) => sum + part.foreign, 0) };
      if (own.foreign === 0) return own;
      if (!best || own.foreign < best.foreign) best = own;
    }
    return best;
  }

  function put(value: string, place?: Place): Found {
    // A name that has several words is none, if there is another way to read it.
    if (place?.isList) return { text: value.replaceAll(", ", "`, `"), foreign: value.split(", ").some((name) => name.includes(" ")) ? 0.5 : 0 };
    if (place?.isName) return { text: value, foreign: 0 };
    const own = found(value);
    const isNoun = !isSentence(own.text) && !/[:;] | at line \d/.test(value);
    return isNoun || place?.isClause ? own : { ...own, foreign: own.foreign + 1 };
  }

  /** The best way to read a text: as one template, as two texts that are joined, or as it is. Of two ways the better one
   * leaves fewer words as they are, has names rather than sentences in the places of nouns, and longer templates. */
  function found(text: string): Found {
    const before = known.get(text);
    if (before) return before;
    let best = untranslated(text);
    const own = best.foreign > 0 ? whole(text) : undefined;
    if (own && own.foreign <= best.foreign) best = own;
    for (const [join, translated] of best.foreign >= 1 && known.size < MOST_READ ? JOINS : []) {
      for (let at = text.indexOf(join); at > 0; at = text.indexOf(join, at + 1)) {
        const [left, right] = [text.slice(0, at), text.slice(at + join.length)];
        const isSubject = join === " ";
        const one = isSubject ? whole(left) : found(left);
        if (!one || (isSubject && isSentence(one.text)) || one.foreign >= best.foreign) continue;
        const other = isSubject ? whole(right) : found(right);
        if (!other || one.foreign + other.foreign >= best.foreign) continue;
        best = { text: one.text + translated + other.text, foreign: one.foreign + other.foreign };
      }
    }
    known.set(text, best);
    return best;
  }

  return (text) => {
    known.clear();
    const own = found(text);
    // Half a translation helps nobody.
    return own.foreign < 1 ? own.text : text;
  };
}

/** A text that no template is: numbers and letters of any other language stay, and a name is set in quotes. */
function untranslated(text: string): Found {
  const words = text.replace(/`[^`]*`|"[^"]*"|'[^']*'/g, "").match(/[A-Za-z]+\d*/g) ?? [];
  const foreign = words.filter((word) => !KEPT.test(word)).length;
  // A name is better taken for a word of the file, if it is one.
  if (NAME.test(text) && foreign > 0) return { text: `\`${text}\``, foreign: 0.1 };
  return { text, foreign };
}

function isSentence(text: string): boolean {
  return /[다요][.?]?$/.test(text);
}

/** How many letters of a template are its own. A place for a number only says more than one for anything. */
function literal(template: string): number {
  return template.replaceAll("{}", "").length;
}

function rule(template: string, translation: string): Rule {
  const literals = template.split(/\{#?\}/);
  const isNumber = [...template.matchAll(/\{#?\}/g)].map(([own]) => own === "{#}");
  const inTranslation = [...translation.matchAll(/\{(\d*)\}/g)];
  const places = isNumber.map((_, at) => {
    const [before, after] = [literals[at] ?? "", literals[at + 1] ?? ""];
    const own = inTranslation.find(([, number], order) => (number ? Number(number) - 1 : order) === at);
    const isQuoted = /[`"']$/.test(before) && before.at(-1) === after[0];
    const quote = ["`", '"', "'"].find((quote) => translation.slice(0, own?.index).split(quote).length % 2 === 0);
    const isLast = after === "" && at === isNumber.length - 1;
    const isClause = after.startsWith(")") || /^( at line |, expected |; given )/.test(after) || (isLast && /(: |, but )$/.test(before));
    return { isName: quote !== undefined, isList: quote === "`" && !isQuoted, isClause, isQuoted, before, after };
  });
  const pattern = places.reduce((all, { isList, isQuoted, before, after }, at) => {
    if (isNumber[at]) return `${all}(\\d+)${escaped(after)}`;
    // What directly follows another value is added to it: `, too large`.
    const value = before === "" && at > 0 ? "((?:[ ,][^]*)?)" : isQuoted ? `([^${before.at(-1)}]*)` : isList ? "([^`]*?)" : "([^]*?)";
    return all + value + escaped(after);
  }, escaped(literals[0] ?? ""));
  return { pattern: new RegExp(`^${pattern}$`), places, translation };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** A translation with its values and the particles after them. */
function filled(translation: string, values: Found[]): string {
  let next = 0;
  let text = "";
  for (const part of translation.split(/(\{\d*\}|\{[가-힣]+\/[가-힣]+\})/)) {
    const place = /^\{(\d*)\}$/.exec(part);
    const particle = /^\{([가-힣]+)\/([가-힣]+)\}$/.exec(part);
    if (place) text += values[place[1] ? Number(place[1]) - 1 : next++]?.text ?? "";
    else if (particle) text += endsInVowel(text, particle[1] === "으로") ? particle[2] : particle[1];
    else text += part;
  }
  return text;
}

/** Whether a text ends in a vowel when it is read aloud, or in the consonant that goes as one before `로`. */
function endsInVowel(text: string, isLiquidToo: boolean): boolean {
  const last = text.match(/[\p{L}\p{N}%]/gu)?.at(-1)?.toLowerCase() ?? "a";
  const code = last.charCodeAt(0) - 0xac00;
  const final = code >= 0 && code < 11172 ? code % 28 : "178lr".includes(last) ? 8 : "036mn".includes(last) ? 1 : 0;
  return final === 0 || (isLiquidToo && final === 8);
}

/** An error as an engine says it. */
export interface Wrong {
  what: string;
  place: string | null;
  help: string | null;
}

/** What says errors as one text, by a language's file: where, what, and what to do. */
export function speaker(file: ErrorsFile): (error: Wrong) => string {
  const translate = translator(file);
  return ({ what, place, help }) => {
    const where = place === null ? "" : `${place.split(", ").map((part) => (FILE.test(part) ? `\`${part}\`` : translate(part))).join(", ")}: `;
    return [where + translate(what), help === null ? "" : translate(help)].filter(Boolean).map(sentence).join(" ");
  };
}

const speakers = new Map<string, Promise<(error: Wrong) => string>>();

/** The same for a language of the page, whose file is fetched when its first error is said. */
export function spoken(language: string): Promise<(error: Wrong) => string> {
  let own = speakers.get(language);
  if (!own) {
    own = fetch(new URL(`./messages/errors.${language}.json`, document.baseURI)).then(async (response) => {
      if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
      return speaker((await response.json()) as ErrorsFile);
    });
    speakers.set(language, own);
    // Who asks again tries again.
    own.catch(() => speakers.delete(language));
  }
  return own;
}

function sentence(text: string): string {
  return /[.?!:]$/.test(text) ? text : `${text}.`;
}
