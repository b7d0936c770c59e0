// The two boxes of text, sentence by sentence and word by word, and the words that are marked in both.
//
// Under the text that is typed lies the same text in elements, laid out alike; there its words are marked.
// A part is {text, end, isLine, pieces}: see text.js, and for its pieces pieces.js; they are undefined while not known.

import {wordAt, wordsOf} from "./text.js";

export const shadow = document.getElementById("shadow");
export const target = document.getElementById("target");
const shown = new Map([[shadow, []], [target, []]]); // the parts that each box shows

/** Whether a piece is a sentence, and not what stands between two, nor the number of a list's item. */
const isLanguage = piece => /\p{L}|\p{N}(?![\p{N}.)\]]*\s*$)/u.test(piece.text);

/** Show the text that is typed. */
export function showSource(parts) {
  update(shadow, parts, part => part.pieces?.map(piece => sentence(piece.text, piece)) ?? [part.text]);
}

/** Show the translation; a part that is not translated yet is an ellipsis. */
export function showTarget(parts) {
  update(target, parts, part => {
    if (!part.pieces) return [element("span", "pending", part.text.trim() ? "…" : part.text)];
    return part.pieces.map(piece => (isLanguage(piece) ? button(piece) : document.createTextNode(piece.translation)));
  });
  if (!target.querySelector(".sentence[tabindex='0']")) makeTabStop(target.querySelector(".sentence"));
}

/** Replace the elements of the parts that have changed since the box showed them. */
function update(box, parts, draw) {
  const old = shown.get(box);
  const most = Math.min(old.length, parts.length);
  let same = 0, sameAtEnd = 0;
  while (same < most && equal(old[same], parts[same])) same++;
  while (sameAtEnd < most - same && equal(old.at(-1 - sameAtEnd), parts.at(-1 - sameAtEnd))) sameAtEnd++;
  const changed = [...box.children].slice(same, old.length - sameAtEnd);
  const next = box.children[old.length - sameAtEnd] ?? null;
  for (const child of changed) child.remove();
  const drawn = document.createDocumentFragment();
  for (const part of parts.slice(same, parts.length - sameAtEnd)) {
    const made = element("span", part.isLine ? "part line" : "part", ...draw(part), part.end);
    if (part.isLine) made.dir = "auto";
    drawn.append(made);
  }
  box.insertBefore(drawn, next);
  shown.set(box, parts.map(part => ({...part})));
}

function equal(a, b) {
  return a.text === b.text && a.end === b.end && a.isLine === b.isLine && a.pieces === b.pieces;
}

/** An element with a class and children. */
export function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

const pieces = new WeakMap(); // the piece of each sentence's element

function sentence(text, piece) {
  const made = element("span", "sentence");
  for (const {part, isWord} of wordsOf(text)) made.append(isWord ? element("span", "word", part) : part);
  pieces.set(made, piece);
  return made;
}

function button(piece) {
  const made = sentence(piece.translation, piece);
  made.setAttribute("role", "button");
  made.tabIndex = -1;
  made.setAttribute("aria-expanded", "false");
  return made;
}

/** Make this sentence the one that the Tab key leads to. */
export function makeTabStop(made) {
  for (const other of target.querySelectorAll(".sentence[tabindex='0']")) other.tabIndex = -1;
  if (made) made.tabIndex = 0;
}

/** The piece of a sentence's element. */
export function pieceOf(made) { return pieces.get(made); }

/** Write the translation of a piece anew, wherever it stands. */
export function redraw(piece) {
  for (const made of target.querySelectorAll(".sentence")) {
    if (pieceOf(made) === piece) made.replaceChildren(...sentence(piece.translation, piece).childNodes);
  }
}

// ---- marks ----------------------------------------------------------------------------------------------------------

const words = made => [...made.querySelectorAll(".word")];

/** The element of the same sentence in the other box; undefined if there is none. */
function counterpart(made) {
  const part = made.closest(".part");
  const box = part.parentElement, other = box === shadow ? target : shadow;
  const number = [...box.children].indexOf(part);
  const candidates = other.children[number]?.querySelectorAll(".sentence") ?? [];
  return [...candidates].find(each => pieceOf(each) === pieceOf(made));
}

/** Mark nothing. */
export function unmark() {
  for (const box of [shadow, target]) {
    for (const marked of box.querySelectorAll(".hit, .near")) marked.classList.remove("hit", "near");
  }
}

/** Scroll the other box of a sentence, and nothing else, to what is marked there. */
export function reveal(made) {
  const box = shadow.contains(made) ? target : shadow;
  const marked = box.querySelector(".hit, .near"), frame = box.parentElement;
  if (!marked) return;
  const [inner, outer] = [marked.getBoundingClientRect(), frame.getBoundingClientRect()];
  if (inner.top < outer.top || inner.bottom > outer.bottom) frame.scrollTop += inner.top - outer.top - outer.height / 3;
}

/**
 * Mark a word, and the words of the other box that it is aligned with; where no alignment is known, the sentence there.
 *
 * A sentence that is not translated yet has no marks.
 *
 * @param made the element of its sentence, in either box.
 * @param word its number in the sentence.
 * @returns the words that are marked in the other box.
 */
export function mark(made, word) {
  unmark();
  const piece = pieceOf(made), other = counterpart(made);
  if (!other) return [];
  words(made)[word]?.classList.add("hit");
  const [mine, theirs] = shadow.contains(made) ? [0, 1] : [1, 0];
  if (!piece.links?.length) {
    other.classList.add("near");
    return [];
  }
  const numbers = piece.links.filter(link => link[mine] === word).map(link => link[theirs]);
  const linked = words(other).filter((_, number) => numbers.includes(number));
  for (const each of linked) each.classList.add("hit");
  return linked.map(each => each.textContent);
}

/** Mark the word of an element, if it is one. */
export function markElement(word) {
  const made = word?.closest?.(".sentence");
  if (made && word.matches(".word")) mark(made, words(made).indexOf(word));
}

/** Mark the word that holds the character at `offset` of the text that is typed, and show what is marked. */
export function markAt(offset) {
  let start = 0;
  for (const part of shadow.children) {
    const length = part.textContent.length;
    if (offset >= start + length && part.nextElementSibling) {
      start += length;
      continue;
    }
    for (const made of part.querySelectorAll(".sentence")) {
      const size = made.textContent.length;
      if (offset <= start + size && offset >= start && made.textContent.trim()) {
        mark(made, Math.max(0, wordAt(made.textContent, offset - start)));
        reveal(made);
        return;
      }
      start += size;
    }
    return;
  }
}
