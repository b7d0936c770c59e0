// A text as parts that are translated by themselves, and requests of several parts. Knows no page and no server.

const SOFT = 1500; // characters of a part of several sentences, at most
const SENTENCE_END = /(?<=\p{L}{3})[.!?…]+["'”’»)\]]*\s+|[。！？]+/gu;

/**
 * The parts of a text: its lines, and of long lines runs of sentences. Each is {text, end, isLine}, where `end` is the
 * line break after it, or "". Joined, they are the text.
 *
 * @param longest characters of a part, at most.
 */
export function partsOf(text, longest) {
  const lines = text.split("\n");
  return lines.flatMap((line, i) => {
    const pieces = divided(line, Math.min(SOFT, longest), longest);
    const end = i < lines.length - 1 ? "\n" : "";
    return pieces.map((text, p) => ({text, end: p === pieces.length - 1 ? end : "", isLine: pieces.length === 1}));
  });
}

/**
 * A line in pieces of at most `longest` characters, and at most `soft` if they are several sentences. They are cut
 * where a sentence surely ends, and where none does, after a word.
 */
function divided(line, soft, longest) {
  if (line.length <= soft) return [line];
  const pieces = [];
  let start = 0, last = 0;
  const cut = end => { pieces.push(line.slice(start, end)); start = end; };
  for (const match of [...line.matchAll(SENTENCE_END), {index: line.length, 0: ""}]) {
    const end = match.index + match[0].length;
    if (end - start > soft && last > start) cut(last);
    while (end - start > longest) cut(start + wordEnd(line.slice(start, start + longest)));
    last = end;
  }
  if (start < line.length) cut(line.length);
  return pieces;
}

/** Where the last whole word of a run of characters ends, with the space after it. No character is cut in two. */
function wordEnd(run) {
  const space = run.lastIndexOf(" ");
  if (space > run.length / 2) return space + 1;
  return /[\uD800-\uDBFF]$/.test(run) ? run.length - 1 : run.length;
}

/** Texts in groups, each of at most `most` characters unless it is a single one. */
export function grouped(texts, most) {
  const groups = [];
  let size = Infinity;
  for (const text of texts) {
    size += text.length + 1;
    if (size > most) {
      groups.push([]);
      size = text.length;
    }
    groups.at(-1).push(text);
  }
  return groups;
}

/** The words of a text and the spaces between them, in order; words are what the server's alignments count. */
export function wordsOf(text) {
  return text.split(/( +)/).filter(Boolean).map(part => ({part, isWord: !part.startsWith(" ")}));
}

/** The number of the word that holds the character at `offset`, or of the one before it; -1 if there is none. */
export function wordAt(text, offset) {
  return wordsOf(text.slice(0, offset + 1)).filter(({isWord}) => isWord).length - 1;
}
